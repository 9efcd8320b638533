import { expect, it, onTestFinished } from "vitest";
import { engineScene } from "../../test/engine/engine-scene.ts";

it("a session that is created again knows no event of the one before, so that a copy of one is taken (R65)", async () => {
  const scene = await engineScene();
  onTestFinished(() => scene.close());
  const { tape } = scene.open();
  const session = { appName: "app", userId: "user", sessionId: "one" };
  const appendTwice = async () => {
    for (const contentJson of ["1", "1"]) await tape.appendEvent({ ...session, event: { id: "e", contentJson } });
  };
  const events = async () => (await tape.getSession(session)).session?.events.map(({ id }) => id);
  await tape.createSession(session);
  await appendTwice();
  expect(await events()).toEqual(["e"]);
  await tape.deleteSession(session);
  await tape.createSession(session);
  expect(await events()).toEqual([]);
  await appendTwice();
  expect(await events()).toEqual(["e"]);
});
