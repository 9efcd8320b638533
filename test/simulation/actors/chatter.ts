import type { Life } from "./actor.ts";
import type { Stage } from "./stage.ts";

/** A conversation that grows, and what was acknowledged of it. */
export interface Chat {
  readonly appName: string;
  readonly userId: string;
  readonly sessionId: string;
  created: boolean;
  /** Ids of acknowledged events. */
  readonly said: string[];
}

/** One round of somebody who talks: creates the session if there is none, appends an event with state, reads it back. */
export async function chatterRound(life: Life, stage: Stage, chat: Chat): Promise<void> {
  const { appName, userId, sessionId } = chat;
  const at = { appName, userId, sessionId };
  if (!chat.created) {
    await life.call({
      method: "CreateSession",
      about: sessionId,
      options: { requestId: life.requestId() },
      send: (tape, options) => tape.createSession(at, options),
    });
    chat.created = true;
  }
  const id = `e${life.world.number()}`;
  const stateDeltaJson = JSON.stringify({ [id]: 1, [`user:${id}`]: 1 });
  await life.call({
    method: "AppendEvent",
    about: `${id} to ${sessionId}`,
    send: (tape, options) => tape.appendEvent({ ...at, event: { id, author: life.name }, stateDeltaJson }, options),
    check: () => () => {
      stage.promises.durable(
        stage.promises.events(appName, userId, sessionId).includes(id),
        `event ${id} of ${sessionId}`,
      );
      if (!chat.said.includes(id)) chat.said.push(id);
    },
  });
  await life.call({
    method: "GetSession",
    about: sessionId,
    send: (tape, options) => tape.getSession({ ...at }, options),
    check: () => {
      const before = [...chat.said];
      return ({ session }) => {
        const state = JSON.parse(session?.stateJson ?? "{}") as Record<string, unknown>;
        const events = session?.events.map((event) => event.id) ?? [];
        for (const one of before) {
          stage.promises.must(
            events.includes(one) && state[one] === 1 && state[`user:${one}`] === 1,
            "read-sees-acknowledged",
            () => `event ${one} of ${sessionId}, or what it changed, is missing from what GetSession returns`,
          );
        }
      };
    },
  });
}
