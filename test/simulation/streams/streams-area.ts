import type { Area, Surroundings } from "../areas/area.ts";
import type { AreaPlan } from "../areas/area-plan.ts";
import { writtenKeys } from "../actors/writer.ts";
import { follow } from "./followed-stream.ts";
import { writeLongPast } from "./long-past.ts";
import { RunFollower } from "./run-follower.ts";
import { ValueWatcher } from "./value-watcher.ts";

/** Those who watch values and follow runs. */
export class StreamsArea implements Area {
  readonly #around: Surroundings;
  readonly #watchers: readonly ValueWatcher[];
  readonly #followers: readonly RunFollower[];

  constructor(around: Surroundings, { longPast }: Extract<AreaPlan, { kind: "streams" }>) {
    this.#around = around;
    const { plan, world, auditor, data, stage } = around;
    const [first = ""] = writtenKeys;
    const key = (i: number): string => writtenKeys[i % writtenKeys.length] ?? first;
    this.#watchers = Array.from(
      { length: plan.cast.watcher },
      (_, i) => new ValueWatcher(world, auditor, data, key(i), `watcher-${i + 1}`),
    );
    this.#followers = Array.from(
      { length: plan.cast.follower },
      (_, i) => new RunFollower(world, auditor, stage, `follower-${i + 1}`),
    );
    if (longPast) writeLongPast(data, first, world.scheduler.now);
  }

  start(): void {
    const { world, network } = this.#around;
    for (const watcher of this.#watchers) void follow(world, network, watcher);
    for (const follower of this.#followers) void follow(world, network, follower);
  }

  unfinished(): string {
    return [...this.#watchers, ...this.#followers].find(({ behind }) => behind !== "")?.behind ?? "";
  }

  async tell(): Promise<readonly unknown[]> {
    return [];
  }
}
