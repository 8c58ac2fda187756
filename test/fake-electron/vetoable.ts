/** The event object of Electron's events that a listener may refuse. */
export class Vetoable {
  defaultPrevented = false

  preventDefault(): void {
    this.defaultPrevented = true
  }
}
