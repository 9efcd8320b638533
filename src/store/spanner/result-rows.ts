import type { PartialResult, TransactionInfo, WireValue } from "./driver.ts";
import { ResultRow } from "./values.ts";

/** An answer that has come in full. */
export interface Result {
  readonly rows: readonly ResultRow[];
  readonly transaction: TransactionInfo;
}

/**
 * Puts an answer together: values come in parts that end anywhere, even within a value, and only texts and NULLs are asked
 * for here. Rejects with what the stream fails with.
 */
export async function resultOf(parts: AsyncIterable<PartialResult>, columns: number): Promise<Result> {
  const values: (string | null)[] = [];
  let transaction: TransactionInfo = {};
  let begun: string | undefined;
  for await (const { metadata, values: more, chunkedValue } of parts) {
    transaction = metadata?.transaction ?? transaction;
    for (const value of more ?? []) {
      const text = textOf(value);
      values.push(begun === undefined ? text : begun + (text ?? ""));
      begun = undefined;
    }
    if (chunkedValue === true) begun = values.pop() ?? "";
  }
  const rows: ResultRow[] = [];
  for (let at = 0; at + columns <= values.length; at += columns) {
    rows.push(new ResultRow(values.slice(at, at + columns)));
  }
  return { rows, transaction };
}

const textOf = ({ kind, stringValue }: WireValue): string | null =>
  kind === "nullValue" ? null : (stringValue ?? null);
