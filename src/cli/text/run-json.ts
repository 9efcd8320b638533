import type { RunPayloads, RunReport } from "../run-report.ts";
import { parsedJson } from "./fields.ts";

/** A run for programs: the report, with the JSON texts in it as JSON. */
export function runJson({ entries, obligations, effects, ...report }: RunReport, payloads?: RunPayloads): object {
  return {
    ...report,
    ...(payloads === undefined ? { effects } : payloadJson(payloads)),
    obligations: obligations.map(({ payloadJson: payload, resultJson, ...obligation }) => ({
      ...obligation,
      payload: parsedJson(payload),
      result: parsedJson(resultJson),
    })),
    entries: entries.map(({ payloadJson: payload, ...entry }) => ({ ...entry, payload: parsedJson(payload) })),
  };
}

function payloadJson({ decisions, effects }: RunPayloads): object {
  return {
    decisions: decisions.map(({ requestJson, responseJson, ...decision }) => ({
      ...decision,
      request: parsedJson(requestJson),
      response: parsedJson(responseJson),
    })),
    effects: effects.map(({ requestJson, responseJson, errorJson, ...effect }) => ({
      ...effect,
      request: parsedJson(requestJson),
      response: parsedJson(responseJson),
      error: parsedJson(errorJson),
    })),
  };
}
