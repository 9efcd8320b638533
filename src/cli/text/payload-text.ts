import type { RunPayloads } from "../run-report.ts";
import { type Colours, printable } from "../terminal.ts";
import { shortKey } from "./advice.ts";
import { columns } from "./columns.ts";

/** The payloads of a run for people, one a line and whole. */
export function payloadText(runId: string, { decisions, effects }: RunPayloads, colours: Colours): string[] {
  const things = [
    ...decisions.map(({ decisionIndex, requestJson, responseJson, rationale }) => ({
      name: `decision ${decisionIndex}`,
      texts: { request: requestJson, response: responseJson, rationale },
    })),
    ...effects.map(({ idempotencyKey, requestJson, responseJson, errorJson }) => ({
      name: shortKey(runId, idempotencyKey),
      texts: { request: requestJson, response: responseJson, error: errorJson },
    })),
  ];
  const rows = things.flatMap(({ name, texts }) =>
    Object.entries(texts)
      .filter(([, text]) => text !== "")
      .map(([label, text], index) => [
        index === 0 ? printable(name) : "",
        { text: label, paint: colours.dim },
        printable(text),
      ]),
  );
  if (rows.length === 0) return [];
  return ["", colours.bold("Payloads"), ...columns(rows).map((line) => `  ${line}`)];
}
