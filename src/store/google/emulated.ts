import { type Finding, ok, warn } from "../../model/finding.ts";

/** What there is to say of a service, or of an emulator in its place. */
export const emulatorFinding = <Id extends string>(
  id: Id,
  { emulator, variable }: { readonly emulator: string | undefined; readonly variable: string },
): Finding<Id> =>
  emulator === undefined
    ? ok(id, "the service itself")
    : warn(id, `an emulator at ${emulator}, which keeps everything in memory: for tests`, [`unset ${variable}`]);
