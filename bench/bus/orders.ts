import type { EventEntry, Reaction } from "../../src/client/index.ts";

/** A reaction of the soak, and which entries it is meant for, said once more without pattern and CEL. */
export interface Order {
  readonly reaction: Reaction;
  readonly isFor: (entry: EventEntry) => boolean;
}

const indexOf = ({ payloadJson }: EventEntry): number =>
  (JSON.parse(payloadJson) as { readonly decision_index: number }).decision_index;
const isDecision = ({ subject }: EventEntry): boolean => subject.startsWith("/tape/decision/recorded/");

/** The app of the runs that the last one starts. */
export const auditor = "auditor";

/** What is registered: something sharded, something rare, something limited, and something that starts runs. */
export const orders: readonly Order[] = [
  {
    reaction: {
      reactionId: "even",
      subjectPattern: "/tape/decision/recorded/**",
      predicateCel: "payload.decision_index % 2 == 0",
      handlerKind: "TASK",
      numShards: 4,
    },
    isFor: (entry) => isDecision(entry) && indexOf(entry) % 2 === 0,
  },
  {
    reaction: {
      reactionId: "ended",
      subjectPattern: "/tape/run/terminal/soak/**",
      handlerKind: "PUBLISH",
      publishTarget: "topic",
    },
    isFor: ({ subject }) => subject.startsWith("/tape/run/terminal/soak/"),
  },
  {
    reaction: {
      reactionId: "limited",
      subjectPattern: "/tape/decision/recorded/**",
      predicateCel: 'payload.decision_index % 10 == 3 && payload.model.startsWith("m")',
      handlerKind: "TASK",
      maxConcurrency: 50,
    },
    isFor: (entry) => isDecision(entry) && indexOf(entry) % 10 === 3,
  },
  {
    reaction: {
      reactionId: "audit",
      subjectPattern: "/tape/run/running/soak/**",
      handlerKind: "AGENT",
      agentApp: auditor,
    },
    isFor: ({ subject }) => subject.startsWith("/tape/run/running/soak/"),
  },
];
