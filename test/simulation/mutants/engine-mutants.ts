import type { Mutant } from "./mutant.ts";

/** Bugs in how rules are joined to the store. */
export const engineMutants: readonly Mutant[] = [
  {
    name: "reply-before-commit",
    bug: "answers go out when they are decided, not when they are durable",
    file: "src/engine/pipeline.ts",
    find: "    group.dirty = true;\n    this.#committer.add(slot);",
    replace:
      "    group.dirty = true;\n    this.#committer.add(slot);\n    this.#answer(slot, { ...group, replies: group.replies.splice(0) });",
  },
  {
    name: "conflict-is-success",
    bug: "an append that lost to another writer is answered as if it had won",
    file: "src/engine/committer.ts",
    find: 'if (outcome.kind === "conflict") {',
    replace: 'if (outcome.kind === "conflict" && this.stats.conflicts < 0) {',
  },
  {
    name: "unknown-is-success",
    bug: "an append whose answer was lost is taken to be committed",
    file: "src/engine/committer.ts",
    find: "this.#settle(sent, await resolveUnknown(this.#store, sent.append, this.#options.clock, cause));",
    replace: 'this.#settle(sent, { kind: "committed", position: Number(cause === null) });',
  },
  {
    name: "unknown-is-failure",
    bug: "an append whose answer was lost is taken to have failed, and its calls are decided again at once",
    file: "src/engine/committer.ts",
    find: "this.#settle(sent, await resolveUnknown(this.#store, sent.append, this.#options.clock, cause));",
    replace: 'this.#settle(sent, { kind: "conflict", version: Number(cause === null) });',
  },
  {
    name: "blind-retry",
    bug: "an append whose answer was lost is sent again without a look at the row, and a conflict is believed",
    file: "src/engine/resolve-unknown.ts",
    find: 'if (outcome?.kind === "committed" || outcome?.kind === "refused") return outcome;',
    replace: 'if (outcome !== undefined && outcome.kind !== "unknown") return outcome;',
  },
  {
    name: "unknown-by-last-commit",
    bug: "whether a lost append was written is judged by the row's last commit alone",
    file: "src/engine/resolve-unknown.ts",
    find: "if (mine || slice?.commitId === commitId) {",
    replace: "if (slice?.commitId === commitId) {",
  },
  {
    name: "cache-kept-on-conflict",
    bug: "the state is not dropped after a conflict",
    file: "src/engine/pipeline.ts",
    find: "    this.#committer.remove(slot);\n    slot.drop();\n    for (const { task } of replies) {",
    replace: "    this.#committer.remove(slot);\n    for (const { task } of replies) {",
  },
  {
    name: "cache-not-verified",
    bug: "a read is answered from a cached row without asking the store for its version",
    file: "src/engine/pipeline.ts",
    find: "    if (this.#store.capabilities.exclusive) {\n      this.#answer(slot, group);",
    replace: "    if (slot.version > 0) {\n      this.#answer(slot, group);",
  },
  {
    name: "read-behind-an-append",
    bug: "a read that came while an append was under way is answered with what that append left",
    file: "src/engine/pipeline.ts",
    find: "void this.#answerAtRest(slot, next);",
    replace: "this.#answer(slot, next);",
  },
  {
    name: "index-key-forgotten",
    bug: "the first new index key of a commit is not added",
    file: "src/engine/committer.ts",
    find: "? keys : without(keys, slot.keys);",
    replace: "? keys : without(keys, slot.keys).slice(1);",
  },
  {
    name: "swept-from-a-stale-read",
    bug: "index keys that a row did not want at the first look are taken away without another one",
    file: "src/engine/stale-keys.ts",
    find: "      return target === undefined ? 0 : this.#pipeline.changeKeys(target, withoutStaleKeys(keys, true));",
    replace:
      "      const slice = await this.#store.read(row, { limit: 0 });\n      if (target === undefined || slice === null) return 0;\n      const { version: expect, head } = slice;\n      await this.#store.append([{ row, expect, commitId: `sweep-${row}-${expect}`, head, entries: [], index: { add: [], remove: keys } }]);\n      return keys.length;",
  },
  {
    name: "swept-with-what-is-wanted",
    bug: "with a stale index key go all that the row has",
    file: "src/engine/committer.ts",
    find: "const remove = without(had, keys);",
    replace: "const remove = group.staleKeys.length > 0 ? had : without(had, keys);",
  },
  {
    name: "swept-row-emptied",
    bug: "taking a stale index key away leaves nothing of the row",
    file: "src/engine/committer.ts",
    find: "head: slot.isEmpty && !group.changesRow ?",
    replace: "head: !group.changesRow ?",
  },
  {
    name: "business-key-not-fenced",
    bug: "a business key is taken from an owner that may still write its effect",
    file: "src/journal/run/lifecycle.ts",
    find: "return accept(run.seq === 0 ? [] : [{ kind: fenceEvent }], false);",
    replace: "return accept(run.seq === 0 ? [] : [], false);",
  },
  {
    name: "feed-gap",
    bug: "the feed goes on one entry too far after a page",
    file: "src/engine/streams.ts",
    find: "if (page.next === after) await listening.wait();\n        after = page.next;",
    replace:
      "if (page.next === after) await listening.wait();\n        after = page.next + (page.entries.length > 1 ? 1 : 0);",
  },
  {
    name: "hints-not-heard",
    bug: "streams are not told of commits on other servers",
    file: "src/engine/engine.ts",
    find: "if (this.#elsewhere !== null || this.#store.capabilities.exclusive || this.#closing.signal.aborted) return;",
    replace: "if (this.#elsewhere !== null || !this.#store.capabilities.exclusive) return;",
  },
  {
    name: "ticker-looks-once",
    bug: "the server does not look for what other servers left to be done",
    file: "src/engine/ticker.ts",
    find: "const lookEveryMs = 5000;",
    replace: "const lookEveryMs = 1e10;",
  },
  {
    name: "shared-state-dropped",
    bug: "an event's change of the user's state is not written",
    file: "src/engine/sessions.ts",
    find: 'await this.#share(key, delta, shortHash(JSON.stringify(["event", key, event.id])));',
    replace: "",
  },
  {
    name: "keys-removed-first",
    bug: "a store removes index keys before the commit that makes them needless",
    file: "test/simulation/world/simulated-store.ts",
    find: "        this.#data.addKeys(append);",
    replace:
      "        this.#data.addKeys(append);\n        this.#data.removeKeys(append);\n        this.#data.listener?.indexChanged(append.row);",
  },
  {
    name: "late-removal",
    bug: "a store removes an index key that was added again meanwhile",
    file: "test/simulation/world/simulated-index.ts",
    find: "if (keys !== undefined && (keys.get(key) ?? 0) <= version) keys.delete(key);",
    replace: "if (keys !== undefined && version > 0) keys.delete(key);",
  },
];
