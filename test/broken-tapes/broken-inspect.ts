import type { Inspect } from "../../src/model/inspect.ts";
import type { Tape } from "../../src/model/tape.ts";
import { but, type BrokenTape } from "./broken-tape.ts";

/** Replaces some calls of a good tape's view for operators. */
const looking =
  (change: (good: Inspect) => Partial<Inspect>): BrokenTape["breaks"] =>
  (good: Tape) =>
    but(good, { inspect: { ...good.inspect, ...change(good.inspect) } });

/** Tapes that break a rule of the view for operators. */
export const brokenInspect: readonly BrokenTape[] = [
  {
    wrong: "runs are listed oldest first",
    caughtBy: "R80 runs are listed newest first, as GetRun has them",
    breaks: looking((good) => ({
      listRuns: async (request, options) => {
        const page = await good.listRuns(request, options);
        return { ...page, runs: page.runs.toReversed() };
      },
    })),
  },
  {
    wrong: "a run stays in the list of the status that it had",
    caughtBy: "R80 a list by status follows every change of status",
    breaks: looking((good) => ({
      listRuns: (request, options) => good.listRuns({ ...request, statuses: [] }, options),
    })),
  },
  {
    wrong: "a filter by session is ignored",
    caughtBy: "R80 filters by app, user and session combine, also with a status",
    breaks: looking((good) => ({
      listRuns: (request, options) => good.listRuns({ ...request, sessionId: "" }, options),
    })),
  },
  {
    wrong: "the end of a range is inclusive",
    caughtBy: "R80 the range of starts has its first millisecond and not its last",
    breaks: looking((good) => ({
      listRuns: (request = {}, options) => {
        const { startedBeforeMs = 0 } = request;
        return good.listRuns({ ...request, startedBeforeMs: startedBeforeMs > 0 ? startedBeforeMs + 1 : 0 }, options);
      },
    })),
  },
  {
    wrong: "the first run of every page but the first is left out",
    caughtBy: "R81 pages of any size together are the list",
    breaks: looking((good) => ({
      listRuns: async (request = {}, options) => {
        const page = await good.listRuns(request, options);
        return (request.pageToken ?? "") === "" ? page : { ...page, runs: page.runs.slice(1) };
      },
    })),
  },
  {
    wrong: "a list of runs costs a look at every run",
    caughtBy: "R80 says what a page cost: as many keys and rows as it has runs, however many there are",
    breaks: looking((good) => ({
      listRuns: async (request, options) => {
        const page = await good.listRuns(request, options);
        return { ...page, rowsRead: page.rowsRead + 1000 };
      },
    })),
  },
  {
    wrong: "the spending in a run's detail is out of date",
    caughtBy: "R82 a run's detail is what the calls of Tape say of it",
    breaks: looking((good) => ({
      getRunDetail: async (request, options) => {
        const detail = await good.getRunDetail(request, options);
        return { ...detail, budget: { ...detail.budget, usdSpent: 0, tokensSpent: 0 } };
      },
    })),
  },
  {
    wrong: "what is settled is shown as open",
    caughtBy: "R82 open_only leaves out what is settled, released and fired",
    breaks: looking((good) => ({
      getRunDetail: (request, options) => good.getRunDetail({ ...request, openOnly: false }, options),
    })),
  },
  {
    wrong: "a page of a run's detail holds all there is",
    caughtBy: "R82 pages count all lists together, and each has run and budget",
    breaks: looking((good) => ({
      getRunDetail: (request, options) => good.getRunDetail({ ...request, pageSize: 1000 }, options),
    })),
  },
  {
    wrong: "the journal skips the entry after each page",
    caughtBy: "R83 the journal is what SubscribeRun sends, in pages of any size",
    breaks: looking((good) => ({
      readJournal: async (request, options) => {
        const page = await good.readJournal(request, options);
        return (request.pageToken ?? "") === "" ? page : { ...page, records: page.records.slice(1) };
      },
    })),
  },
  {
    wrong: "bodies stand under other names than their fields",
    caughtBy: "R83 bodies come by the names of their fields, byte for byte",
    breaks: looking((good) => ({
      readJournal: async (request, options) => {
        const page = await good.readJournal(request, options);
        const renamed = (bodies: Readonly<Record<string, string>>): Record<string, string> =>
          Object.fromEntries(Object.entries(bodies).map(([name, text]) => [`${name}_`, text]));
        return { ...page, records: page.records.map((record) => ({ ...record, bodies: renamed(record.bodies) })) };
      },
    })),
  },
  {
    wrong: "an effect that was settled still asks for a human",
    caughtBy: "R84 an UNKNOWN effect is listed until it is settled, with its run",
    breaks: (good) => {
      let seen: Awaited<ReturnType<Inspect["listAttention"]>>["items"] = [];
      return looking((inspect) => ({
        listAttention: async (request, options) => {
          const page = await inspect.listAttention(request, options);
          seen = page.items.length > 0 ? page.items : seen;
          return { ...page, items: seen };
        },
      }))(good);
    },
  },
  {
    wrong: "a run asks for a human as soon as it may be recovered",
    caughtBy: "R84 a run that nobody recovers is listed once the bound has passed",
    breaks: looking((good) => ({
      listAttention: (request, options) => good.listAttention({ ...request, recoverableForMs: 1 }, options),
    })),
  },
  {
    wrong: "what waits longest comes last",
    caughtBy: "R84 the longest waiting comes first over all kinds and runs, in pages of any size",
    breaks: looking((good) => ({
      listAttention: async (request, options) => {
        const page = await good.listAttention(request, options);
        return { ...page, items: page.items.toReversed() };
      },
    })),
  },
  {
    wrong: "every kind of need is listed, whatever was asked for",
    caughtBy: "R84 kinds and tenants filter",
    breaks: looking((good) => ({
      listAttention: (request, options) => good.listAttention({ ...request, kinds: [] }, options),
    })),
  },
  {
    wrong: "looking writes",
    caughtBy: "R84 looking changes nothing",
    breaks: (good) =>
      looking((inspect) => ({
        listAttention: async (request, options) => {
          const page = await inspect.listAttention(request, options);
          for (const { run, effect } of page.items) {
            if (effect === undefined) continue;
            const { idempotencyKey } = effect;
            await good.reconcileEffect({ runId: run.runId, idempotencyKey, resolvedStatus: "FAILED" });
          }
          return page;
        },
      }))(good),
  },
  {
    wrong: "the store has as many runs as one likes",
    caughtBy: "R85 the store says what it is, and how many runs it has while they are few",
    breaks: looking((good) => ({
      describeStore: async (request, options) => ({
        ...(await good.describeStore(request, options)),
        rowCounts: { run: 4711 },
      }),
    })),
  },
];
