import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** A way to a server on loopback that can be cut at any moment: what a network, or the death of a process, does. */
export class TcpGate {
  readonly #sockets = new Set<Socket>()
  readonly #server: Server
  isOpen = true

  private constructor(targetPort: number) {
    this.#server = createServer((near) => {
      if (!this.isOpen) return void near.destroy()
      const far = connect(targetPort, '127.0.0.1')
      this.#keep(near, far)
      this.#keep(far, near)
      near.pipe(far).pipe(near)
    })
  }

  static async open(targetPort: number): Promise<TcpGate> {
    const gate = new TcpGate(targetPort)
    await new Promise<void>((resolve) => gate.#server.listen(0, '127.0.0.1', resolve))
    return gate
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Ends every connection at once; new ones are ended too until it is opened again. */
  cut(): void {
    this.isOpen = false
    for (const socket of this.#sockets) socket.destroy()
  }

  reopen(): void {
    this.isOpen = true
  }

  close(): Promise<void> {
    this.cut()
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }

  #keep(socket: Socket, other: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => other.destroy())
    socket.on('close', () => {
      this.#sockets.delete(socket)
      other.destroy()
    })
  }
}
