import type { Socket } from 'node:net'

/** Resolves once `socket` is closed, also when that was by a reset, which `once(socket, 'close')` raises. */
export function socketClosed(socket: Socket): Promise<void> {
  return new Promise((resolve) => void socket.on('error', () => {}).once('close', () => resolve()))
}
