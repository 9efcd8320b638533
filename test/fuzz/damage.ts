/** How bytes are damaged: cut short, one bit changed, gone, or others in their place. */
export const changes = ["cut", "flip", "lose", "foreign"] as const;

/** What happens to bytes: where and which bit are taken modulo what there is. */
export interface Change {
  readonly change: (typeof changes)[number];
  readonly at: number;
  readonly bit: number;
}

const decoder = new TextDecoder();

/** The bytes as they are found after that. */
export function changedBytes(bytes: Uint8Array, { change, at, bit }: Change): Uint8Array {
  const where = at % Math.max(1, bytes.length);
  switch (change) {
    case "lose":
      return new Uint8Array(0);
    case "cut":
      return bytes.subarray(0, where);
    case "foreign":
      return Uint8Array.from({ length: 1 + (at % 200) }, (_, i) => (i * 151 + at * 31 + bit) % 256);
    default:
      return bytes.map((byte, i) => (i === where ? byte ^ (1 << bit) : byte));
  }
}

/** A text as it is found after its bytes were damaged. */
export const changedText = (text: string, change: Change): string =>
  decoder.decode(changedBytes(Buffer.from(text), change));
