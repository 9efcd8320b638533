import type { Answer } from "../history.ts";
import type { ValueInput } from "../models/value-model.ts";
import { atOnce, followedBy, inTurn, type KnownHistory } from "./in-turn.ts";

const write = (value: string, ifVersion: number = -1, requestId?: string): ValueInput => ({
  call: "write",
  value,
  ifVersion,
  writer: "w",
  ...(requestId === undefined ? {} : { requestId }),
});
const written = (version: number, value: string): Answer => ({ version, deleted: false, value, writer: "w" });
const found = (version: number, value: string): Answer => ({ found: true, version, value, writer: "w" });
const get: ValueInput = { call: "get" };
const remove: ValueInput = { call: "delete" };

/** Of a value. */
export const values: readonly Omit<KnownHistory, "kind">[] = [
  {
    name: "a value is written, read, deleted and written again",
    isPossible: true,
    operations: inTurn(
      [write("a", 0), written(1, "a")],
      [get, found(1, "a")],
      [remove, { deleted: true, version: 2 }],
      [get, { found: false }],
      [write("b", 0), written(3, "b")],
    ),
  },
  {
    name: "a stale read",
    isPossible: false,
    operations: inTurn([write("a"), written(1, "a")], [write("b"), written(2, "b")], [get, found(1, "a")]),
  },
  {
    name: "a lost update: two writes at one version",
    isPossible: false,
    operations: followedBy(
      inTurn([write("a"), written(1, "a")]),
      atOnce([write("b", 1), written(2, "b")], [write("c", 1), written(2, "c")]),
    ),
  },
  {
    name: "a version that two writes got",
    isPossible: false,
    operations: atOnce([write("a"), written(1, "a")], [write("b"), written(1, "b")]),
  },
  {
    name: "a version that is used again after a delete",
    isPossible: false,
    operations: inTurn(
      [write("a"), written(1, "a")],
      [remove, { deleted: true, version: 2 }],
      [write("b"), written(1, "b")],
    ),
  },
  {
    name: "if_version forgotten",
    isPossible: false,
    operations: inTurn([write("a"), written(1, "a")], [write("b", 7), written(2, "b")]),
  },
  {
    name: "a conflict at the right version",
    isPossible: false,
    operations: inTurn([write("a"), written(1, "a")], [write("b", 1), { refused: "VERSION_MISMATCH", version: 1 }]),
  },
  {
    name: "a write of unknown outcome that is sent again and had happened",
    isPossible: true,
    operations: inTurn([write("a", 0, "r"), null], [write("a", 0, "r"), written(1, "a")], [get, found(1, "a")]),
  },
  {
    name: "a write that counts twice because it was sent twice",
    isPossible: false,
    operations: inTurn([write("a", -1, "r"), null], [write("a", -1, "r"), written(1, "a")], [get, found(2, "a")]),
  },
  {
    name: "a deleted value that is still there",
    isPossible: false,
    operations: inTurn([write("a"), written(1, "a")], [remove, { deleted: true, version: 2 }], [get, found(1, "a")]),
  },
];
