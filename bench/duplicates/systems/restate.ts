import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../../../test/postgres/loopback-port.ts";
import { ServerFolder } from "../../../test/postgres/server-folder.ts";
import { worldKinds } from "../assignment.ts";
import { peerAgent, peerEnvironment, peerFile, type Peers } from "./install-peers.ts";
import { type Host, onePlace, type System } from "./system.ts";

const patienceMs = 60_000;

/** What Restate does with an invocation whose process has died: by default it calls again; it can also pause for a human. */
export type RestatePolicy = "retry" | "pause";

/** Restate: its server, which outlives the agents, from npm. */
export function restateSystem(peers: Peers, policy: RestatePolicy): System {
  return {
    name: policy === "pause" ? "Restate, pauses" : "Restate",
    version: peers.version("@restatedev/restate-server"),
    worlds: policy === "pause" ? ["blind"] : worldKinds,
    open: () => openRestate(policy),
  };
}

async function openRestate(policy: RestatePolicy): Promise<Host> {
  const folder = new ServerFolder("tape-restate-", {});
  const [ingress, admin, node, agent] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const program = peerFile(`@restatedev/restate-server-${process.platform}-${process.arch}/bin/restate-server`);
  const args = ["--base-dir", folder.path, "--node-name", "benchmark", "--listen-mode", "tcp", "--no-logo"];
  const child = spawn(program, args, {
    cwd: folder.path,
    detached: true,
    stdio: "ignore",
    env: {
      RESTATE_BIND_ADDRESS: `127.0.0.1:${node}`,
      RESTATE_ADVERTISED_ADDRESS: `http://127.0.0.1:${node}/`,
      RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${ingress}`,
      RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${admin}`,
      RESTATE_DISABLE_TELEMETRY: "true",
    },
  });
  folder.guard(child.pid);
  const close = async (): Promise<void> => {
    await ended(child);
    folder.guard(undefined);
    await folder.remove();
  };
  try {
    await healthy(`http://127.0.0.1:${admin}/health`, child);
    await healthy(`http://127.0.0.1:${ingress}/restate/health`, child);
  } catch (error) {
    await close();
    throw error;
  }
  const places = [`http://127.0.0.1:${ingress}`, `http://127.0.0.1:${admin}`, String(agent), policy];
  return onePlace({ file: peerAgent("restate-agent"), args: places, env: peerEnvironment }, close);
}

async function healthy(url: string, child: ChildProcess): Promise<void> {
  const until = performance.now() + patienceMs;
  for (;;) {
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok === true) return;
    if (child.exitCode !== null || child.signalCode !== null) throw new Error("Restate's server ended while starting");
    if (performance.now() > until) throw new Error(`Restate's server does not answer at ${url}`);
    await sleep(50);
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}
