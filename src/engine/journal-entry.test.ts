import { expect, it } from "vitest";
import { rpcMethods } from "../rpc/rpc-methods.ts";
import { entry, rowId } from "../testing/test-store/material.ts";
import { eventEntry } from "./journal-entry.ts";

it.each([["seq"], ["at"], ["position"]])("an entry whose %s is damaged reaches a client all the same", (field) => {
  const { response } = rpcMethods.subscribeEvents;
  for (const damaged of [2 ** 62, -(2 ** 62), Number.NaN]) {
    const stored = { ...entry(7), position: 8, row: rowId("a"), [field]: damaged };
    expect(response.decode(response.encode(eventEntry(stored)))).toMatchObject({
      seq: field === "seq" ? 0 : 7,
      globalSeq: field === "position" ? 0 : 8,
      payloadJson: '{"n":7}',
    });
  }
});
