import { TapeError } from "../../src/errors.ts";
import { but, every, swapped, withoutTheFourth, type BrokenTape } from "./broken-tape.ts";

/** Tapes that break a rule of what is stored, listed and followed. */
export const brokenData: readonly BrokenTape[] = [
  {
    wrong: "payloads are parsed and printed",
    caughtBy: "R7 payloads come back byte for byte",
    breaks: (good) =>
      but(good, {
        recordDecision: (request, options) =>
          good.recordDecision(
            { ...request, requestJson: JSON.stringify(JSON.parse(request.requestJson ?? '""')) },
            options,
          ),
      }),
  },
  {
    wrong: "what is no JSON is quoted and taken",
    caughtBy: "R7 SendSignal.resolution_json must be JSON",
    breaks: (good) =>
      but(good, {
        sendSignal: (request, options) =>
          good.sendSignal({ ...request, resolutionJson: JSON.stringify(request.resolutionJson) }, options),
      }),
  },
  {
    wrong: "names are trimmed",
    caughtBy: "R7 values are told apart by every character of namespace and key",
    breaks: (good) =>
      but(good, {
        writeValue: (request, options) =>
          good.writeValue({ ...request, key: request.key.trim(), namespace: request.namespace.trim() }, options),
      }),
  },
  {
    wrong: "names are normalised",
    caughtBy: "R7 runs are told apart by every character of every part of their identity",
    breaks: (good) =>
      but(good, {
        beginRun: (request, options) =>
          good.beginRun({ ...request, invocationId: request.invocationId.normalize() }, options),
      }),
  },
  {
    wrong: "pages have no end",
    caughtBy: "R7 pages hold what is asked, 100 unless asked, at most 1,000",
    breaks: (good) =>
      but(good, {
        listEffectsToDispatch: (request, options) => good.listEffectsToDispatch({ ...request, limit: 1000 }, options),
      }),
  },
  {
    wrong: "a version of a value is used again after a delete",
    caughtBy: "R60 versions rise by 1 with every write and delete, and are never used again",
    breaks: (good) => {
      let deleted = 0;
      return but(good, {
        deleteValue: async (request, options) => {
          const answer = await good.deleteValue(request, options);
          deleted = answer.version;
          return answer;
        },
        writeValue: async (request, options) => {
          const value = await good.writeValue(request, options);
          return { ...value, version: value.version - deleted };
        },
      });
    },
  },
  {
    wrong: "a watcher is told changes in another order",
    caughtBy: "R61 a watcher of fast writers is told every version in order",
    breaks: (good) =>
      but(good, {
        watchValue: (request, options) => swapped(good.watchValue(request, options)),
      }),
  },
  {
    wrong: "the feed skips an entry now and then",
    caughtBy: "R50 delivers every committed entry once, in rising order, and as the run's own journal has it",
    breaks: (good) =>
      but(good, {
        subscribeEvents: (request, options) => every(good.subscribeEvents(request, options), withoutTheFourth),
      }),
  },
  {
    wrong: "the feed gives an entry twice now and then",
    caughtBy: "R50 delivers every committed entry once, in rising order, and as the run's own journal has it",
    breaks: (good) =>
      but(good, {
        subscribeEvents: (request, options) =>
          every(good.subscribeEvents(request, options), (index) => (index === 5 ? 2 : 1)),
      }),
  },
  {
    wrong: "a cursor is inclusive",
    caughtBy: "R50 a cursor is exclusive and goes on exactly where it stood, after reopening and on another engine",
    breaks: (good) =>
      but(good, {
        subscribeEvents: (request, options) =>
          good.subscribeEvents({ ...request, fromGlobalSeq: Math.max(0, (request.fromGlobalSeq ?? 0) - 1) }, options),
      }),
  },
  {
    wrong: "filters by kind are ignored",
    caughtBy: "R51 filters by run, kind, time and subject, alone and together",
    breaks: (good) =>
      but(good, {
        subscribeEvents: (request, options) => good.subscribeEvents({ ...request, kind: "" }, options),
      }),
  },
  {
    wrong: "a stream of a run that nobody began ends as if it had nothing to say",
    caughtBy: "R14 a run that nobody began is RUN_NOT_FOUND, at any from_seq",
    breaks: (good) =>
      but(good, {
        subscribeRun: async function* (request, options) {
          try {
            yield* good.subscribeRun(request, options);
          } catch (error) {
            if (!(error instanceof TapeError) || error.reason !== "RUN_NOT_FOUND") throw error;
          }
        },
      }),
  },
  {
    wrong: "from_seq is exclusive",
    caughtBy: "R14 gives every entry from from_seq on, in order, and ends when the run has ended",
    breaks: (good) =>
      but(good, {
        subscribeRun: (request, options) =>
          good.subscribeRun(
            { ...request, fromSeq: (request.fromSeq ?? 0) > 1 ? (request.fromSeq ?? 0) + 1 : 0 },
            options,
          ),
      }),
  },
  {
    wrong: "an event sent again is another event",
    caughtBy: "R65 the same event sent at the same time is appended once",
    breaks: (good) => {
      let count = 0;
      return but(good, {
        appendEvent: (request, options) => {
          count += 1;
          return good.appendEvent(
            { ...request, event: { ...request.event, id: `${request.event.id}${count}` } },
            options,
          );
        },
      });
    },
  },
  {
    wrong: "the first events are given instead of the latest",
    caughtBy: "R66 reading gives all events, or the latest n in order",
    breaks: (good) =>
      but(good, {
        getSession: async (request, options) => {
          const { found, session } = await good.getSession({ ...request, maxEvents: 0 }, options);
          if (session === undefined) return { found };
          return { found, session: { ...session, events: session.events.slice(0, request.maxEvents || undefined) } };
        },
      }),
  },
  {
    wrong: "an existing session is returned whatever the request brings",
    caughtBy: "R66 an existing session is returned as it is, but not when the request brings state",
    breaks: (good) =>
      but(good, {
        createSession: async (request, options) => {
          const { session } = await good.getSession({ ...request, sessionId: request.sessionId ?? "" });
          return session ?? good.createSession(request, options);
        },
      }),
  },
];
