import type { Operation } from "../history.ts";

/** From when until when something may be, in milliseconds since 1970, both ends included. */
export interface Span {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Of a call whose outcome is unknown: it may yet be decided. Below infinity, which JSON does not have. */
const never = Number.MAX_SAFE_INTEGER;

/** When a server decided a call. */
export const decidedIn = ({ fromMs, untilMs = never }: Operation): Span => ({ fromMs, untilMs });

/** The span that many milliseconds later. */
export const later = ({ fromMs, untilMs }: Span, ms: number): Span => ({
  fromMs: Math.min(never, fromMs + ms),
  untilMs: Math.min(never, untilMs + ms),
});

/** What is left of a span when an answer tells the moment; `null`: that cannot be. Without an answer, all of it. */
export function known(span: Span, ms: string | number | boolean | undefined): Span | null {
  if (ms === undefined) return span;
  return typeof ms === "number" && ms >= span.fromMs && ms <= span.untilMs ? { fromMs: ms, untilMs: ms } : null;
}

/** Somebody's hold on something, until some moment of which only the span is known. */
export interface Hold {
  readonly by: string;
  readonly ends: Span;
}

/** One way in which a hold may stand when a call is decided, with what that says about its end. */
export interface HoldView {
  readonly isLive: boolean;
  readonly hold: Hold | null;
}

/**
 * How a hold may stand at a moment that is known as a span: live, expired, or either. Each call has its moment for itself:
 * that one comes before the other says nothing about the clocks by which two servers decided.
 */
export function viewsOf(hold: Hold | null, { fromMs, untilMs }: Span): readonly HoldView[] {
  if (hold === null) return [{ isLive: false, hold }];
  const { by, ends } = hold;
  const ifLive: Span = { fromMs: Math.max(ends.fromMs, fromMs + 1), untilMs: ends.untilMs };
  const ifExpired: Span = { fromMs: ends.fromMs, untilMs: Math.min(ends.untilMs, untilMs) };
  return [
    { isLive: true, hold: { by, ends: ifLive } },
    { isLive: false, hold: { by, ends: ifExpired } },
  ].filter((view) => view.hold.ends.fromMs <= view.hold.ends.untilMs);
}
