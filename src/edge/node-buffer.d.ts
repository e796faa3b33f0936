// What the edge uses of the runtime's own node:buffer, which has the only searches in workerd that run at memory speed.

declare module "node:buffer" {
  export class Buffer {
    static from(buffer: ArrayBufferLike, byteOffset: number, length: number): Buffer;
    indexOf(text: string, from: number): number;
  }
  export function isUtf8(bytes: Uint8Array): boolean;
}
