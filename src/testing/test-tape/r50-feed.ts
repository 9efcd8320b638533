import assert from "node:assert/strict";
import type { EventEntry, SubscribeBySubjectRequest, SubscribeEventsRequest } from "../../model/feed.ts";
import { part, refused, upTo } from "./assertions.ts";
import { verbOf, type Scene } from "./scene.ts";
import { follow, type Followed } from "./stream.ts";
import { rule, tenantRule, type TapeCase } from "./tape-case.ts";

function events(t: Scene, request: SubscribeEventsRequest = {}, tape = t.tape): Followed<EventEntry> {
  return follow((signal) => tape.subscribeEvents(request, { signal }));
}

function bySubject(t: Scene, request: SubscribeBySubjectRequest): Followed<EventEntry> {
  return follow((signal) => t.tape.subscribeBySubject(request, { signal }));
}

/** The feed as it is now, from the start: all entries up to one that is written to mark the end. */
async function feed(t: Scene): Promise<EventEntry[]> {
  const namespace = t.name("marker");
  await t.tape.writeValue({ namespace, key: "k", valueJson: "1" });
  const stream = events(t);
  const seen: EventEntry[] = [];
  for (let entry = await stream.next(); !entry.subject.includes(`/${namespace}/`); entry = await stream.next())
    seen.push(entry);
  await stream.leave();
  return seen;
}

/** Two runs, a value and a session, with entries of several kinds. */
async function story(t: Scene): Promise<{ readonly one: string; readonly two: string }> {
  const [one, two] = [await t.run(), await t.run({ appName: "other" })];
  await t.clock.advance(1000);
  for (const runId of [one, two]) {
    await t.tape.recordDecision({ runId, decisionIndex: 0 });
    const idempotencyKey = await t.effect(runId, { toolName: "pay/out" });
    await t.tape.completeEffect({ runId, idempotencyKey, status: "CONFIRMED" });
  }
  await t.tape.writeValue({ namespace: "n", key: "k", valueJson: "1" });
  const session = { appName: "app", userId: "u", sessionId: "s" };
  await t.tape.createSession(session);
  await t.tape.appendEvent({ ...session, event: { id: "e" } });
  await t.clock.advance(1000);
  await t.tape.endRun({ runId: one, status: "TERMINAL" });
  return { one, two };
}

const positions = (entries: readonly EventEntry[]): number[] => entries.map((entry) => entry.globalSeq);

function ascending(entries: readonly EventEntry[]): void {
  for (const [index, position] of positions(entries).entries()) {
    assert.ok(Number.isSafeInteger(position) && position > 0, `a position below 2^53, not ${position}`);
    assert.ok(index === 0 || position > (entries[index - 1]?.globalSeq ?? 0), "positions rise, and none comes twice");
  }
}

/** R50 and R51: the feed of the whole store. */
export const feedCases: readonly TapeCase[] = [
  rule(
    "R50",
    "delivers every committed entry once, in rising order, and as the run's own journal has it",
    async (t) => {
      const { one, two } = await story(t);
      const entries = await feed(t);
      ascending(entries);
      for (const runId of [one, two]) {
        const ofRun = entries.filter((entry) => entry.runId === runId).map(({ runId: __, ...entry }) => entry);
        const journal = await t.journal(runId);
        // A store that orders its feed after the commits cannot tell the journal of a run where its entries will stand.
        const isKnown = journal.some(({ globalSeq }) => globalSeq !== 0);
        assert.deepEqual(isKnown ? ofRun : ofRun.map((entry) => ({ ...entry, globalSeq: 0 })), journal);
      }
      assert.equal(entries.filter((entry) => entry.runId === "").length, 2, "the value and the event");
      assert.equal(entries.length, (await t.journal(one)).length + (await t.journal(two)).length + 2);
    },
  ),
  rule("R50", "skips nothing and repeats nothing while several engines commit", async (t) => {
    const tapes = [t.tape, await t.other(1), await t.other(2)];
    const stream = events(t);
    const early = events(t, {}, tapes[1]);
    const runIds = await Promise.all(upTo(9).map(() => t.run()));
    await Promise.all(
      runIds.map(async (runId, writer) => {
        const tape = tapes[writer % 3] ?? t.tape;
        for (const decisionIndex of upTo(12)) await tape.recordDecision({ runId, decisionIndex });
      }),
    );
    const total = 9 * 13;
    const seen = await stream.take(total);
    ascending(seen);
    assert.deepEqual(await early.take(total), seen, "every reader sees the one order");
    for (const runId of runIds) {
      assert.deepEqual(
        seen.filter((entry) => entry.runId === runId).map((entry) => entry.seq),
        upTo(13).map((index) => index + 1),
      );
    }
    await Promise.all([stream.leave(), early.leave()]);
  }),
  rule(
    "R50",
    "a cursor is exclusive and goes on exactly where it stood, after reopening and on another engine",
    async (t) => {
      await story(t);
      const all = await feed(t);
      const cursor = all[5]?.globalSeq ?? 0;
      await t.reopen();
      const elsewhere = events(t, { fromGlobalSeq: cursor }, await t.other());
      const rest = all.slice(6);
      assert.deepEqual(await elsewhere.take(rest.length), rest);
      await elsewhere.leave();
      const again = events(t, { fromGlobalSeq: cursor });
      assert.deepEqual(await again.take(rest.length), rest);
      await again.leave();
    },
  ),
  rule("R50", "a cursor in the future waits for it", async (t) => {
    const runId = await t.run();
    const last = (await feed(t)).at(-1)?.globalSeq ?? 0;
    const stream = events(t, { fromGlobalSeq: last });
    const marker = await stream.next();
    assert.ok(marker.globalSeq > last && marker.kind === "value");
    await t.tape.recordDecision({ runId, decisionIndex: 0 });
    assert.equal(verbOf(await stream.next()), "decision/recorded");
    await stream.leave();
  }),
  rule("R50", "a slow reader gets everything in the end", async (t) => {
    const stream = events(t);
    const runId = await t.run();
    await stream.next();
    await Promise.all(upTo(2500).map((tokens) => t.tape.chargeBudget({ runId, tokens })));
    const entries = await stream.take(2500);
    assert.deepEqual(
      entries.map((entry) => entry.seq),
      upTo(2500).map((index) => index + 2),
    );
    await stream.leave();
  }),
  tenantRule("R50", "a tenant's feed has the entries of that tenant only", async (t, tapeFor) => {
    await story(t);
    const red = await tapeFor({ partition: "red", tenant: "red" });
    const { runId } = await red.beginRun({ appName: "app", invocationId: "i" });
    const stream = follow((signal) => red.subscribeEvents({}, { signal }));
    const entry = await stream.next();
    assert.deepEqual([entry.runId, verbOf(entry)], [runId, "run/running"]);
    await red.recordDecision({ runId, decisionIndex: 0 });
    await t.run();
    assert.equal(verbOf(await stream.next()), "decision/recorded");
    await stream.leave();
    assert.deepEqual(
      (await feed(t)).filter((each) => each.runId === runId),
      [],
    );
  }),

  rule("R51", "filters by run, kind, time and subject, alone and together", async (t) => {
    const start = t.clock.now();
    const { one, two } = await story(t);
    const all = await feed(t);
    const check = async (request: SubscribeEventsRequest, keep: (entry: EventEntry) => boolean) => {
      const wanted = all.filter(keep);
      assert.ok(
        wanted.length > 0 && wanted.length < all.length,
        `the filter ${JSON.stringify(request)} should keep some`,
      );
      const stream = events(t, request);
      assert.deepEqual(await stream.take(wanted.length), wanted, JSON.stringify(request));
      await stream.leave();
    };
    await check({ runId: one }, (entry) => entry.runId === one);
    await check({ kind: "effect" }, (entry) => entry.kind === "effect");
    await check({ fromTsMs: start + 500 }, (entry) => entry.tsMs > start + 500);
    await check({ fromTsMs: start + 1500, runId: one }, (entry) => entry.tsMs > start + 1500);
    await check({ subjectPattern: "/tape/effect/*/*/*" }, (entry) => entry.kind === "effect");
    await check({ subjectPattern: "/tape/effect/**" }, (entry) => entry.kind === "effect");
    await check({ subjectPattern: "/tape/*/confirmed/**" }, (entry) => verbOf(entry) === "effect/confirmed");
    await check({ subjectPattern: "/tape/**", runId: two }, (entry) => entry.runId === two);
    await check(
      { runId: two, kind: "effect", subjectPattern: "/tape/*/pending/**" },
      (entry) => entry.runId === two && verbOf(entry) === "effect/pending",
    );
    await check(
      { kind: "decision", fromGlobalSeq: all[4]?.globalSeq },
      (entry) => entry.kind === "decision" && entry.globalSeq > (all[4]?.globalSeq ?? 0),
    );
    await check({ subjectPattern: all[3]?.subject ?? "" }, (entry) => entry.subject === all[3]?.subject);
  }),
  rule("R51", "SubscribeBySubject takes pattern and cursor", async (t) => {
    await story(t);
    const all = await feed(t);
    const wanted = all.filter((entry) => entry.kind === "run");
    for (const [fromGlobalSeq, keep] of [
      [0, wanted],
      [wanted[0]?.globalSeq, wanted.slice(1)],
    ] as const) {
      const stream = bySubject(t, { subjectPattern: "/tape/run/**", fromGlobalSeq });
      assert.deepEqual(await stream.take(keep.length), keep);
      await stream.leave();
    }
    const everything = bySubject(t, { subjectPattern: "" });
    assert.deepEqual(await everything.take(all.length), all);
    await everything.leave();
  }),
  rule("R51", "* is one segment, ** the rest, and other characters are themselves", async (t) => {
    await story(t);
    const first = (await feed(t)).find((entry) => entry.kind === "effect");
    for (const subjectPattern of [
      "/tape/effect/pending/pay%2Fout/*",
      "/tape/*/*/*/*",
      "/**",
      "/tape/effect/**",
      "/*/effect/**",
    ]) {
      const stream = events(t, { subjectPattern, kind: "effect" });
      assert.deepEqual(await stream.next(), first, subjectPattern);
      await stream.leave();
    }
    for (const subjectPattern of [
      "/tape/effect/*",
      "/tape/effect/*/*",
      "/tape/effect/pending/pay/*",
      "/tape/effec/**",
      "/TAPE/**",
      "/tape/./effect/**",
    ]) {
      const [stream, marker] = [events(t, { subjectPattern }), events(t)];
      await marker.take(6);
      const heard = await Promise.race([
        stream.next().then((entry) => entry.subject),
        t.clock.settle().then(() => "nothing"),
      ]);
      assert.equal(heard, "nothing", subjectPattern);
      await Promise.all([stream.leave(), marker.leave()]);
    }
  }),
  rule("R51", "a filter that matches nothing yet goes on to what comes later", async (t) => {
    const stream = events(t, { kind: "value", subjectPattern: "/tape/value/changed/late/*" });
    const runId = await t.run();
    await Promise.all(upTo(1200).map((tokens) => t.tape.chargeBudget({ runId, tokens })));
    await t.tape.writeValue({ namespace: "late", key: "k", valueJson: "1" });
    assert.equal(verbOf(await stream.next()), "value/changed");
    await stream.leave();
  }),
  rule("R51", "a bad pattern is refused at the call", async (t) => {
    for (const subjectPattern of ["/tape/**/effect", "/tape/**/**", "/**/run", "tape/run/**"]) {
      await refused(events(t, { subjectPattern }).next(), "ARGUMENT_INVALID");
      await refused(bySubject(t, { subjectPattern }).next(), "ARGUMENT_INVALID");
    }
  }),
  rule(
    "R51",
    "a predicate sees run, seq, kind, subject, time, position and payload; where it fails it does not match",
    async (t) => {
      const { one } = await story(t);
      const all = await feed(t);
      const predicates: Readonly<Record<string, (entry: EventEntry) => boolean>> = {
        [`run_id == "${one}"`]: (entry) => entry.runId === one,
        'kind == "effect" && seq > 1': (entry) => entry.kind === "effect",
        'subject.startsWith("/tape/run/")': (entry) => entry.kind === "run",
        [`ts_ms == ${all.at(-1)?.tsMs}`]: (entry) => entry.tsMs === all.at(-1)?.tsMs,
        [`global_seq > ${all[3]?.globalSeq} && kind != "value"`]: (entry) =>
          entry.globalSeq > (all[3]?.globalSeq ?? 0) && entry.kind !== "value",
        "payload.decision_index == 0 && has(payload.model)": (entry) => entry.kind === "decision",
        'payload.tool == "pay/out"': (entry) => entry.kind === "effect",
      };
      for (const [predicateCel, keep] of Object.entries(predicates)) {
        const wanted = all.filter(keep);
        const stream = bySubject(t, { subjectPattern: "/tape/**", predicateCel });
        assert.deepEqual(await stream.take(wanted.length), wanted, predicateCel);
        await stream.leave();
      }
      const both = bySubject(t, {
        subjectPattern: "/tape/*/confirmed/**",
        predicateCel: `run_id == "${one}"`,
        fromGlobalSeq: all[0]?.globalSeq,
      });
      assert.deepEqual(part(await both.next(), "runId", "kind"), { runId: one, kind: "effect" });
      await both.leave();
    },
  ),
  rule("R51", "a predicate that is none is refused at the call", async (t) => {
    for (const predicateCel of ["((", "1 +", "kind =="]) {
      await refused(bySubject(t, { subjectPattern: "/tape/**", predicateCel }).next(), "ARGUMENT_INVALID");
    }
  }),
  rule("R51", "leaving the feed ends it at once", async (t) => {
    const [waiting, unread] = [events(t), events(t)];
    const silent = waiting.next().catch(() => "left");
    await waiting.leave();
    await unread.leave();
    assert.equal(await silent, "left");
    assert.deepEqual(part(await t.get(await t.run()), "status"), { status: "RUNNING" });
  }),
];
