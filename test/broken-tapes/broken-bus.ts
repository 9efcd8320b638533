import type { Task } from "../../src/model/reaction.ts";
import { but, type BrokenTape } from "./broken-tape.ts";

/** Tapes that break a rule of reactions and tasks. */
export const brokenBus: readonly BrokenTape[] = [
  {
    wrong: "a matching entry makes two tasks",
    caughtBy: "R70 a matching entry makes one task, which says where it comes from",
    breaks: (good) =>
      but(good, {
        listTasks: async (request, options) => {
          const { tasks } = await good.listTasks(request, options);
          return { tasks: tasks.flatMap((task) => [task, { ...task, taskId: `${task.taskId}'` }]) };
        },
      }),
  },
  {
    wrong: "a reaction matches whatever its predicate says",
    caughtBy: "R70 pattern and predicate combine, and each reaction makes its own tasks",
    breaks: (good) =>
      but(good, {
        registerReaction: (request, options) => good.registerReaction({ ...request, predicateCel: "" }, options),
      }),
  },
  {
    wrong: "the first of a burst makes the task as well",
    caughtBy: "R70 with a debounce, the last matching entry of a burst makes the task, for each source",
    breaks: (good) =>
      but(good, {
        registerReaction: (request, options) => good.registerReaction({ ...request, debounceMs: 0 }, options),
      }),
  },
  {
    wrong: "every reaction starts with the first entry",
    caughtBy: "R70 a new reaction starts with the first entry, or behind the last one if asked",
    breaks: (good) =>
      but(good, {
        registerReaction: (request, options) =>
          good.registerReaction({ ...request, bootstrapFromHead: false }, options),
      }),
  },
  {
    wrong: "a deregistered reaction goes on",
    caughtBy: "R70 a deregistered reaction makes and hands out nothing more",
    breaks: (good) => but(good, { deregisterReaction: async () => ({ deregistered: true }) }),
  },
  {
    wrong: "what is registered again makes its tasks anew",
    caughtBy: "R70 a reaction that is registered again starts anew, and makes no task twice",
    breaks: (good) => {
      let registered = 0;
      return but(good, {
        registerReaction: async (request, options) => {
          registered += 1;
          return good.registerReaction(request, options);
        },
        listTasks: async (request, options) => {
          const { tasks } = await good.listTasks(request, options);
          return { tasks: registered > 1 ? [...tasks, ...tasks] : tasks };
        },
      });
    },
  },
  {
    wrong: "a task is never given up",
    caughtBy: "R71 after so many failed attempts a task is in the DLQ, and stays there",
    breaks: (good) =>
      but(good, {
        registerReaction: (request, options) => good.registerReaction({ ...request, dlqAfterN: 0 }, options),
      }),
  },
  {
    wrong: "a claim that expires counts for nothing",
    caughtBy: "R71 a claim that expires is a failed attempt",
    breaks: (good) =>
      but(good, {
        listTasks: async (request, options) => {
          const { tasks } = await good.listTasks(request, options);
          return { tasks: tasks.map((task) => ({ ...task, attempts: 0 })) };
        },
      }),
  },
  {
    wrong: "tasks are listed newest first",
    caughtBy: "R71 tasks are listed by reaction and status, oldest first",
    breaks: (good) =>
      but(good, {
        listTasks: async (request, options) => {
          const { tasks } = await good.listTasks(request, options);
          return { tasks: tasks.toReversed() };
        },
      }),
  },
  {
    wrong: "a task is claimed by two",
    caughtBy: "R71 of several claimers each task goes to one",
    breaks: (good) => {
      let stolen: readonly Task[] = [];
      return but(good, {
        claimTasks: async (request, options) => {
          const { tasks } = await good.claimTasks(request, options);
          const all = [...tasks, ...stolen];
          stolen = tasks;
          return { tasks: all };
        },
      });
    },
  },
  {
    wrong: "limits are those of each claimer",
    caughtBy: "R71 no more than max_concurrency are claimed at once, over all claimers",
    breaks: (good) =>
      but(good, {
        registerReaction: (request, options) => good.registerReaction({ ...request, maxConcurrency: 0 }, options),
      }),
  },
  {
    wrong: "whoever asks may complete a task",
    caughtBy: "R71 only who holds a live claim may say how a task ended",
    breaks: (good) =>
      but(good, {
        completeTask: async (request, options) => {
          const { tasks } = await good.listTasks({ limit: 1000 });
          const owner = tasks.find((task) => task.taskId === request.taskId)?.leaseOwner ?? "";
          return good.completeTask({ ...request, owner: owner || request.owner }, options);
        },
      }),
  },
  {
    wrong: "a failed task is due at once",
    caughtBy: "R71 a failed attempt is repeated after a pause that doubles",
    breaks: (good) =>
      but(good, { claimTasks: (request, options) => good.claimTasks({ ...request, nowMs: 4e12 }, options) }),
  },
];
