import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileSubjectPattern } from "../../src/codec/subject-pattern.ts";
import { TapeError } from "../../src/errors.ts";
import type { Tape } from "../../src/model/tape.ts";
import { rpcMethods } from "../../src/rpc/rpc-methods.ts";
import { MemoryStore } from "../../src/store/memory/memory-store.ts";
import type {
  FeedPage,
  ReadOptions,
  RowId,
  RowSlice,
  ScanOptions,
  ScanPage,
  Store,
  TailOptions,
} from "../../src/store/store.ts";
import { ForwardingStore } from "../../src/testing/forwarding-store.ts";
import { fuzz } from "./fuzz.ts";
import { sampleJournal } from "./sample-journal.ts";
import { pure, type Target, type Trial } from "./target.ts";
import { openBackground, type DamagedPart } from "./targets/background.ts";
import { cel, checkCel, type Compile } from "./targets/cel.ts";
import { openColumns } from "./targets/columns.ts";
import { checkDecoder } from "./targets/decoder.ts";
import { json, openJson } from "./targets/json.ts";
import { checkKeys, keyMakers, keys } from "./targets/keys.ts";
import { checkDamage } from "./targets/stored.ts";
import { checkSubjects, subjects } from "./targets/subjects.ts";
import { checkUrls, urls } from "./targets/urls.ts";
import { statusOf } from "./targets/wire.ts";
import { messageBytes } from "./wire-bytes.ts";

/* Bugs that are planted: what judges must be able to say no. */

/** What is wrong, as the target finds it with another check. */
async function found<Input>(target: Target<Input>, check: (input: Input) => Promise<string> | string): Promise<string> {
  const planted = { ...target, open: pure(check) } as Target;
  const { failure } = await fuzz(planted, { seed: 1, seconds: 30, inputs: 20_000 });
  return failure?.what ?? "nothing";
}

describe("the judge of the decoder", () => {
  const { request } = rpcMethods.beginRun;
  const codec = request as unknown as Parameters<typeof checkDecoder>[0];
  const inputs = messageBytes(request.schema);
  const foundIn = (decode: (bytes: Uint8Array) => object): Promise<string> =>
    found({ name: "decoder", inputs, open: pure(() => "") }, (bytes) => checkDecoder({ ...codec, decode }, bytes));

  it("sees one that takes what is cut short", async () => {
    const lenient = (bytes: Uint8Array): object => {
      for (let end = bytes.length; ; end -= 1) {
        try {
          return request.decode(bytes.subarray(0, end));
        } catch {
          // Tries it with less.
        }
      }
    };
    expect(await foundIn(lenient)).toMatch(/taken, though/);
  });

  it("sees one that loses a field", async () => {
    expect(await foundIn((bytes) => ({ ...request.decode(bytes), actor: "" }))).toMatch(/something else/);
  });

  it("sees one that throws another error", async () => {
    const bare = (bytes: Uint8Array): object => {
      try {
        return request.decode(bytes);
      } catch (cause) {
        throw new RangeError("out of range", { cause });
      }
    };
    expect(await foundIn(bare)).toMatch(/no TapeError/);
  });
});

describe("the judge of keys", () => {
  const withJoin = (join: (names: readonly string[]) => string): Promise<string> =>
    found(keys, checkKeys({ ...keyMakers, join: { planted: join } }));

  it("sees names joined by a separator that is not escaped", async () => {
    expect(await withJoin((names) => encodeURI(names.join("/")))).toMatch(/two things have one key|within/);
  });

  it("sees names cut without a hash", async () => {
    expect(await withJoin((names) => encodeURIComponent(JSON.stringify(names)).slice(0, 40))).toMatch(/two things/);
  });

  it("sees characters that fold", async () => {
    expect(await withJoin((names) => encodeURIComponent(JSON.stringify(names).normalize("NFC")))).toMatch(/two things/);
  });

  it("sees an escape that breaks the order", async () => {
    const ordered = (_index: string, key: string): string => key.replace(/[ -$]/g, "~$&");
    expect(await found(keys, checkKeys({ ...keyMakers, ordered }))).toMatch(/order/);
  });
});

describe("the judge of JSON fields", () => {
  const foundIn = async (change: (tape: Tape) => Partial<Tape>): Promise<string> => {
    const open = (): Promise<Trial> =>
      openJson((tape) => Object.assign(Object.create(tape) as Tape, change(tape))) as Promise<Trial>;
    const { failure } = await fuzz({ ...json, open }, { seed: 1, seconds: 30, inputs: 1000 });
    return failure?.what ?? "nothing";
  };

  it("sees one that writes a text in its own way", async () => {
    const tidy = (text = ""): string => text.replaceAll(",", ", ");
    const what = await foundIn((tape) => ({
      recordDecision: async (request) => tape.recordDecision({ ...request, requestJson: tidy(request.requestJson) }),
    }));
    expect(what).toMatch(/something else/);
  });

  it("sees one that has written before it refuses", async () => {
    const what = await foundIn((tape) => ({
      writeValue: async (request) => {
        await tape.writeValue({ ...request, valueJson: "" });
        return tape.writeValue(request);
      },
    }));
    expect(what).toMatch(/though it was refused/);
  });

  it("sees one that takes anything", async () => {
    const what = await foundIn((tape) => ({
      setTimer: (request) => tape.setTimer({ ...request, payloadJson: "" }),
    }));
    expect(what).toMatch(/no JSON is taken|something else/);
  });
});

describe("the judge of subjects", () => {
  it("sees a ** that must match something", async () => {
    const greedy: typeof compileSubjectPattern = (pattern) => {
      const matches = compileSubjectPattern(pattern);
      return (subject) => matches(subject) && !(pattern.endsWith("/**") && subject.length <= pattern.length - 3);
    };
    expect(await found(subjects, checkSubjects(greedy))).toMatch(/must match/);
  });

  it("sees one that compares without end", async () => {
    const slow: typeof compileSubjectPattern = (pattern) => {
      const matches = compileSubjectPattern(pattern);
      return (subject) => {
        for (let i = 0; i < 2; i += 1) matches(subject);
        return matches(subject);
      };
    };
    expect(await found(subjects, checkSubjects(slow))).toMatch(/comparisons/);
  });
});

describe("the judge of URLs", () => {
  const fine = { maskUrl: () => "", placeOfStore: () => Promise.resolve(), createStore: () => Promise.resolve() };

  it("sees a password in an error", async () => {
    const createStore = (url: string): Promise<never> =>
      Promise.reject(new TapeError("STORE_URL_INVALID", `no such store: ${url.replaceAll(/\p{Cc}/gu, "")}`));
    expect(await found(urls, checkUrls({ ...fine, createStore }))).toBe("the password is in the error");
  });

  it("sees a password that is masked in part", async () => {
    const maskUrl = (url: string): string => url.replace(/:[^:@]*@/s, ":***@").replaceAll(/\p{Cc}/gu, "");
    expect(await found(urls, checkUrls({ ...fine, maskUrl }))).toBe("the password is in the masked URL");
  });

  it("sees another error", async () => {
    const placeOfStore = (url: string): Promise<unknown> => Promise.resolve(new URL(url));
    expect(await found(urls, checkUrls({ ...fine, placeOfStore: async (url) => placeOfStore(url) }))).toMatch(
      /no TapeError/,
    );
  });
});

describe("the judge of stored rows", () => {
  /** A store that hides damage: an entry is lost and the head does not know. */
  class ForgetfulStore extends ForwardingStore {
    readonly #row: RowId;

    constructor(inner: MemoryStore, row: RowId) {
      super(inner);
      this.#row = row;
    }

    override async read(row: RowId, options?: ReadOptions): Promise<RowSlice | null> {
      const slice = await super.read(row, options);
      if (slice === null || row !== this.#row) return slice;
      const head = Buffer.from(Buffer.from(slice.head).toString().replace('"owner":"agent"', '"owner":"other"'));
      return { ...slice, head };
    }
  }

  it("sees data that is wrong and said without an error", async () => {
    const inner = new MemoryStore();
    const sample = await sampleJournal(inner);
    const lost = { row: 0, part: "entry", entry: 0, change: "cut", at: 0, bit: 0 } as const;
    const checking = checkDamage(sample, lost, (_store, row) => new ForgetfulStore(inner, row));
    await expect(checking).rejects.toThrow(/another answer than was written/);
    await inner.close();
  });

  it("sees a row that stops the others", async () => {
    const inner = new MemoryStore();
    const sample = await sampleJournal(inner);
    class Stopped extends ForwardingStore {
      override read(row: RowId): Promise<RowSlice | null> {
        return Promise.reject(new TapeError("STORE_CORRUPT", `row ${row} cannot be read`));
      }
    }
    const damage = { row: 0, part: "head", entry: 0, change: "cut", at: 0, bit: 0 } as const;
    await expect(checkDamage(sample, damage, () => new Stopped(inner))).rejects.toThrow(/stops it/);
    await inner.close();
  });
});

describe("the judge of predicates", () => {
  it("sees an evaluation that throws", async () => {
    const throwing: Compile = () => () => {
      throw new RangeError("no such overload");
    };
    expect(await found(cel, checkCel(throwing))).toMatch(/an evaluation throws/);
  });

  it("sees a verdict that is none, and another error than Tape's", async () => {
    expect(
      await found(
        cel,
        checkCel(() => () => "true" as "match"),
      ),
    ).toMatch(/the verdict is true/);
    const bare: Compile = () => {
      throw new SyntaxError("unexpected");
    };
    expect(await found(cel, checkCel(bare))).toMatch(/no TapeError/);
  });
});

describe("the judge of the wire", () => {
  it.each([
    ["INTERNAL in gRPC", { http: 200, grpc: "13", body: "" }],
    ["UNKNOWN in gRPC", { http: 200, grpc: "2", body: "" }],
    ["INTERNAL in gRPC-Web", { http: 200, grpc: undefined, body: "\x80....grpc-status: 13\r\n" }],
    ["internal in Connect", { http: 500, grpc: undefined, body: '{"code":"internal"}' }],
    ["a bare 500", { http: 500, grpc: undefined, body: "" }],
    ["no answer", { http: 0, grpc: undefined, body: "" }],
  ])("does not take %s", (_what, answer) => {
    expect(() => statusOf(answer)).toThrow(/status|code|no answer/);
  });
});

it("makes a failing input smaller", async () => {
  const target: Target<string> = {
    name: "planted",
    inputs: fc.string({ maxLength: 50 }),
    open: pure((text) => {
      if (text.includes("x")) throw new Error("an x");
      return "fine";
    }),
  };
  const { failure } = await fuzz(target as Target, { seed: 1, seconds: 30, inputs: 10_000 });
  expect(failure).toEqual({ input: "x", what: "an x" });
});

describe("the judge of damaged columns", () => {
  // In the order of columns, and of the ways that fit: a version that is zero, a time far in the past.
  const version = { row: 0, table: 0, cell: 2, way: 2 };
  const at = { row: 0, table: 1, cell: 7, way: 4 };

  /** What is wrong when the server makes this of the store, in which a cell of the first run is damaged. */
  const foundWith = async (change: (store: Store) => Store, damage: typeof at): Promise<string> => {
    const trial = await openColumns(undefined, change);
    try {
      return await trial.check([damage]);
    } catch (error) {
      return String(error);
    } finally {
      await trial.close();
    }
  };

  it("sees a damaged row that is taken for none", async () => {
    class Forgetful extends ForwardingStore {
      override async read(row: RowId, options?: ReadOptions): Promise<RowSlice | null> {
        return super.read(row, options).catch(() => null);
      }
    }
    expect(await foundWith((store) => new Forgetful(store), version)).toMatch(/RUN_NOT_FOUND instead of STORE_CORRUPT/);
    expect(await foundWith((store) => store, version)).toBe("tape_rows.version zero: error");
  });

  it("sees a feed that leaves out what is whole", async () => {
    class Early extends ForwardingStore {
      override async tail(options: TailOptions): Promise<FeedPage> {
        const page = await super.tail(options);
        const damaged = page.entries.findIndex((entry) => entry.at < 0);
        return damaged < 0 ? page : { ...page, entries: page.entries.slice(0, damaged) };
      }
    }
    expect(await foundWith((store) => new Early(store), at)).toMatch(/the feed gives entries otherwise/);
  });
});

/** The head of a run is gone. */
const damagedRun: DamagedPart = { row: 1, part: "head", entry: 0, change: "lose", at: 0, bit: 0 };

describe("the judge of background work", () => {
  let change = (store: Store): Store => store;
  const opened = openBackground((store) => change(store));

  /** What is wrong when the server makes this of the store. */
  const foundWith = async (planted: (store: Store) => Store, rows = [damagedRun]): Promise<string> => {
    const { check } = await opened;
    change = planted;
    try {
      return await check({ store: "memory", rows, keys: [] });
    } catch (error) {
      return String(error);
    }
  };

  it("sees a damaged row that keeps the feed from everybody", async () => {
    class Stopped extends ForwardingStore {
      override async tail(options: TailOptions): Promise<FeedPage> {
        const page = await super.tail(options);
        for (const { row } of page.entries) await this.read(row);
        for (const { row, kind } of page.entries) {
          if (!/^\w+\/\w+$/.test(kind)) throw new TapeError("STORE_CORRUPT", `row ${row} cannot be read`);
        }
        return page;
      }
    }
    const kind: DamagedPart = { ...damagedRun, part: "kind" };
    expect(await foundWith((store) => new Stopped(store), [kind])).toMatch(
      /was not matched|subscribeEvents ended|instead|more than \d+ calls/,
    );
  });

  it("sees timers that stop at a damaged row", async () => {
    class Stopped extends ForwardingStore {
      override async scan(index: string, options: ScanOptions): Promise<ScanPage> {
        const page = await super.scan(index, options);
        return index === "tick" ? { ...page, items: page.items.slice(0, 1) } : page;
      }
    }
    expect(await foundWith((store) => new Stopped(store))).toMatch(/instead of/);
  });

  it("sees damage that nobody is told of", async () => {
    class Silent extends ForwardingStore {
      override async read(row: RowId, options?: ReadOptions): Promise<RowSlice | null> {
        const slice = await super.read(row, options);
        return slice?.head.length === 0 ? null : slice;
      }
    }
    const told = await foundWith((store) => new Silent(store), [{ ...damagedRun, row: 3 }]);
    expect(told).toMatch(/nobody is told of ~\/task\//);
  });

  it("sees a store that is asked without end", async () => {
    class Busy extends ForwardingStore {
      override async scan(index: string, options: ScanOptions): Promise<ScanPage> {
        const times = index === "tick" ? 200 : 0;
        for (let i = 0; i < times; i += 1) await super.scan(index, options);
        return super.scan(index, options);
      }
    }
    expect(await foundWith((store) => new Busy(store))).toMatch(/more than \d+ calls of the store/);
  });
});
