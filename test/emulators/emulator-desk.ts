import { Emulator } from "./emulator.ts";
import { emulatorMissing, findEmulator, type EmulatorKind } from "./find-emulator.ts";

/** What a shared emulator is, in words that travel between processes. */
export type EmulatorAnswer =
  | { readonly kind: "running"; readonly host: string }
  | { readonly kind: "missing"; readonly reason: string };

/** The emulators that all test files of one run share, each started when it is first asked for. */
export class EmulatorDesk {
  readonly #emulators = new Map<EmulatorKind, Promise<Emulator>>();

  async get(kind: EmulatorKind): Promise<EmulatorAnswer> {
    if (findEmulator(kind) === undefined) return { kind: "missing", reason: emulatorMissing(kind) };
    const emulator = this.#emulators.get(kind) ?? Emulator.open(kind);
    this.#emulators.set(kind, emulator);
    return { kind: "running", host: (await emulator).host };
  }

  /** Ends them all. */
  async close(): Promise<void> {
    for (const emulator of this.#emulators.values()) await emulator.then((one) => one.stop()).catch(() => undefined);
  }
}
