export function InspectorPage() {
  return null
}
