import type { Finding } from "../finding.ts";
import type { GcpCheckId } from "./gcp-checks.ts";

/** Something that was looked for: it, or what is to be said instead. */
export type Sight<T> =
  | { readonly kind: "seen"; readonly value: T }
  | { readonly kind: "unseen"; readonly finding: (id: GcpCheckId) => Finding };

export const seen = <T>(value: T): Sight<T> => ({ kind: "seen", value });
export const unseen = (finding: (id: GcpCheckId) => Finding): Sight<never> => ({ kind: "unseen", finding });
