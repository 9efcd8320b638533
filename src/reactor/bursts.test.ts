import { expect, it } from "vitest";
import { Engine } from "../engine/engine.ts";
import { localAccess } from "../model/access.ts";
import { MemoryStore } from "../store/memory/memory-store.ts";
import type { FeedPage, StoreCapabilities, TailOptions } from "../store/store.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { ForwardingStore } from "../testing/forwarding-store.ts";
import { reactor } from "./reactor.ts";

/** A store whose server stands still once, after it has read the end of the feed and before it goes on. */
class Standstill extends ForwardingStore {
  meanwhile: (() => Promise<void>) | null = null;

  override get capabilities(): StoreCapabilities {
    return { ...this.inner.capabilities, exclusive: false };
  }

  override async tail(options: TailOptions): Promise<FeedPage> {
    const page = await this.inner.tail(options);
    if (options.after > 0 && page.entries.length === 0) {
      const meanwhile = this.meanwhile;
      this.meanwhile = null;
      await meanwhile?.();
    }
    return page;
  }
}

it("is over only when the feed was read after that: a server that stood still does not end it early (R70)", async () => {
  const memory = new MemoryStore();
  await memory.open();
  const clock = new FakeClock();
  const store = new Standstill(memory);
  const writer = new Engine({ store: new Standstill(memory), clock, reactors: false });
  const server = new Engine({ store, clock, reactor: reactor() });
  const tape = writer.tape(localAccess);
  const write = async (valueJson: string): Promise<void> => {
    await tape.writeValue({ namespace: "n", key: "k", valueJson });
  };
  const standstill = { isOver: false };
  store.meanwhile = async () => {
    await clock.advance(600);
    await write("2");
    await clock.advance(900);
    standstill.isOver = true;
  };
  await tape.registerReaction({ reactionId: "bursts", subjectPattern: "", handlerKind: "TASK", debounceMs: 1000 });
  await write("1");
  server.start();
  for (let turns = 0; !standstill.isOver && turns < 100; turns += 1) await clock.settle();
  await clock.advance(5000);
  await expect.poll(async () => (await tape.listTasks({})).tasks).not.toHaveLength(0);
  const { tasks } = await tape.listTasks({});
  expect(tasks.map(({ sourceGlobalSeq }) => sourceGlobalSeq)).toEqual([2]);
  await Promise.all([server.close(), writer.close()]);
  await memory.close();
});
