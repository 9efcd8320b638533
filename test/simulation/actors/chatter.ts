import type { Life } from "./actor.ts";
import type { Stage } from "./stage.ts";

/** A conversation that grows, and what was acknowledged of it. */
export interface Chat {
  readonly appName: string;
  readonly userId: string;
  /** Another one when nobody knows whether the session was deleted. */
  sessionId: string;
  created: boolean;
  /** Rises when the session is to be deleted: what is answered then is about one that was. */
  generation: number;
  /** Ids of acknowledged events. */
  said: string[];
  /** Those whose own key somebody wants to be removed, and those of which that was acknowledged. */
  unwanted: string[];
  removed: string[];
}

/** A conversation that nobody has begun. */
export const newChat = (number: number): Chat => ({
  appName: "chat",
  userId: "bob",
  sessionId: `chat-${number}`,
  created: false,
  generation: 0,
  said: [],
  unwanted: [],
  removed: [],
});

/**
 * One round of somebody who talks: creates the session if there is none, appends an event with state, reads it back, looks
 * whether it is listed, and deletes it now and then.
 */
export async function chatterRound(life: Life, stage: Stage, chat: Chat): Promise<void> {
  const { random } = life.world;
  if (!chat.created) await create(life, chat);
  await say(life, stage, chat);
  await read(life, stage, chat);
  if (random.chance(0.2)) await list(life, stage, chat);
  if (random.chance(0.2)) {
    await remove(life, chat);
    // At once, so that copies of the calls before may come after it.
    await create(life, chat);
  }
}

const placeOf = ({ appName, userId, sessionId }: Chat): Pick<Chat, "appName" | "userId" | "sessionId"> => ({
  appName,
  userId,
  sessionId,
});

async function create(life: Life, chat: Chat): Promise<void> {
  const at = placeOf(chat);
  await life.call({
    method: "CreateSession",
    about: at.sessionId,
    options: { requestId: life.requestId() },
    send: (tape, options) => tape.createSession(at, options),
  });
  chat.created = true;
}

async function say(life: Life, { promises }: Stage, chat: Chat): Promise<void> {
  const { appName, userId, sessionId, generation } = chat;
  const at = placeOf(chat);
  const id = `e${life.world.number()}`;
  // What is null goes, what is temporary does not come.
  const delta = { [id]: 1, [`user:${id}`]: 1, [`app:${id}`]: 1, [`temp:${id}`]: 1 };
  const old = chat.said.find((one) => !chat.unwanted.includes(one));
  const unwanted = life.world.random.chance(0.3) ? old : undefined;
  if (unwanted !== undefined) chat.unwanted.push(unwanted);
  const stateDeltaJson = JSON.stringify(unwanted === undefined ? delta : { ...delta, [unwanted]: null });
  await life.call({
    method: "AppendEvent",
    about: `${id} to ${sessionId}`,
    send: (tape, options) => tape.appendEvent({ ...at, event: { id, author: life.name }, stateDeltaJson }, options),
    check: () => () => {
      if (chat.generation !== generation) return;
      promises.durable(promises.events(appName, userId, sessionId).includes(id), `event ${id} of ${sessionId}`);
      if (!chat.said.includes(id)) chat.said.push(id);
      if (unwanted !== undefined) chat.removed.push(unwanted);
    },
  });
}

async function read(life: Life, stage: Stage, chat: Chat): Promise<void> {
  const { promises } = stage;
  const { appName, userId, sessionId, generation } = chat;
  const at = placeOf(chat);
  const maxEvents = life.world.random.pick([0, 0, 2]);
  await life.call({
    method: "GetSession",
    about: sessionId,
    send: (tape, options) => tape.getSession({ ...at, maxEvents }, options),
    check: () => {
      const before = [...chat.said];
      const gone = new Set(chat.removed);
      const known = promises.events(appName, userId, sessionId).length;
      return ({ session }) => {
        if (chat.generation !== generation) return;
        const state = JSON.parse(session?.stateJson ?? "{}") as Record<string, unknown>;
        const events = session?.events.map((event) => event.id ?? "") ?? [];
        mustBeLatest(stage, chat, events, known, maxEvents);
        const odd = Object.keys(state).find((key) => key.startsWith("temp:") || gone.has(key));
        promises.must(odd === undefined, "read-sees-acknowledged", () => `${sessionId} still has ${odd ?? ""}`);
        for (const one of before) {
          const isTold = maxEvents > 0 || events.includes(one);
          const hasOwn = chat.unwanted.includes(one) || state[one] === 1;
          promises.must(
            isTold && hasOwn && state[`user:${one}`] === 1 && state[`app:${one}`] === 1,
            "read-sees-acknowledged",
            () => `event ${one} of ${sessionId}, or what it changed, is missing from what GetSession returns`,
          );
        }
      };
    },
  });
}

/** The latest events in the order of their commits: as of the request, or of some moment since (R65, R66). */
function mustBeLatest(
  { promises }: Stage,
  { appName, userId, sessionId }: Chat,
  told: readonly string[],
  known: number,
  most: number,
): void {
  const all = promises.events(appName, userId, sessionId);
  const end = told.length === 0 ? 0 : all.indexOf(told.at(-1) ?? "") + 1;
  const from = most === 0 ? 0 : Math.max(0, end - most);
  promises.must(
    end >= known && told.join() === all.slice(from, end).join(),
    "read-sees-acknowledged",
    () => `${sessionId} has ${all.join(", ")}, of which there were ${known}; GetSession tells ${told.join(", ")}`,
  );
}

async function list(life: Life, { promises }: Stage, chat: Chat): Promise<void> {
  const { appName, userId, sessionId, generation } = chat;
  await life.call({
    method: "ListSessions",
    about: `of ${userId}`,
    send: (tape, options) => tape.listSessions({ appName, userId }, options),
    check: () => (answer) => {
      if (chat.generation !== generation) return;
      const ids = answer.sessions.map((session) => session.sessionId);
      promises.must(
        ids.filter((id) => id === sessionId).length === 1,
        "list-is-whole",
        () => `the list of sessions should have ${sessionId} once, it has ${ids.join(", ")}`,
      );
    },
  });
}

/** Another session follows: of the same name, unless nobody knows whether this one is still to go. */
async function remove(life: Life, chat: Chat): Promise<void> {
  const at = placeOf(chat);
  Object.assign(chat, { ...newChat(0), ...at, sessionId: `${at.sessionId}+`, generation: chat.generation + 1 });
  await life.call({
    method: "DeleteSession",
    about: at.sessionId,
    options: { requestId: life.requestId() },
    send: (tape, options) => tape.deleteSession(at, options),
  });
  if (!chat.created) chat.sessionId = at.sessionId;
}
