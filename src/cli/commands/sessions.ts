import { Command } from "commander";
import type { EventRecord, Session } from "../../model/session.ts";
import type { CommandContext } from "../command-context.ts";
import { exitCodes } from "../exit-code.ts";
import { whole } from "../number-arguments.ts";
import { sessionAddress, sessionText } from "../session-address.ts";
import { type AccessOptions, useTape, withAccess } from "../tape-access.ts";
import { printable, shorten, type Terminal } from "../terminal.ts";
import { columns } from "../text/columns.ts";
import { duration, moment } from "../text/duration.ts";
import { parsedJson } from "../text/fields.ts";

interface SessionsOptions extends AccessOptions {
  readonly json?: true;
}

interface ShowOptions extends SessionsOptions {
  readonly events: number;
}

const latestEvents = 20;

/** `tape sessions` */
export function sessionsCommand(context: CommandContext): Command {
  return new Command("sessions")
    .summary("list sessions, or print one")
    .description("list the sessions of a user, or print one")
    .addCommand(listCommand(context))
    .addCommand(showCommand(context));
}

function listCommand(context: CommandContext): Command {
  const { terminal, now } = context;
  return withAccess(
    new Command("list")
      .summary("list the sessions of a user, newest first")
      .description("list the sessions of a user of an app, newest first")
      .argument("<app>", "the app")
      .argument("[user]", "the user; without one, sessions that have none")
      .option("--json", "one JSON document a line")
      .addHelpText("after", "\nExample:\n  tape sessions list shop ada"),
  ).action(async (appName: string, userId: string | undefined, options: SessionsOptions) => {
    const { sessions } = await useTape(options, context, (tape) => tape.listSessions({ appName, userId }));
    const lines =
      options.json === true
        ? sessions.map((one) => JSON.stringify(sessionJson(one)))
        : sessionLines(sessions, terminal, now());
    for (const line of lines) terminal.print(line);
    if (sessions.length === 0) terminal.note("There are no such sessions.");
  });
}

function showCommand(context: CommandContext): Command {
  const { terminal } = context;
  return withAccess(
    new Command("show")
      .summary("print a session: its state and latest events")
      .description("print a session: its state and its latest events")
      .argument("<session>", "app/user/session, each percent-encoded where it holds a slash")
      .option("--events <count>", "so many of the latest events; 0: all", (text) => whole(text), latestEvents)
      .option("--json", "as one JSON document")
      .addHelpText("after", "\nExit code 1: there is no such session.\n\nExample:\n  tape sessions show shop/ada/s-17"),
  ).action(async (address: string, options: ShowOptions) => {
    const request = { ...sessionAddress(address), maxEvents: options.events };
    const { session } = await useTape(options, context, (tape) => tape.getSession(request));
    if (session === undefined) {
      terminal.note(`tape: there is no session ${printable(address)}.`);
      context.exit(exitCodes.no);
      return;
    }
    if (options.json === true) terminal.print(JSON.stringify(sessionJson(session), undefined, 2));
    else for (const line of sessionPage(session, terminal)) terminal.print(line);
  });
}

function sessionLines(sessions: readonly Session[], { colours, columns: width }: Terminal, now: number): string[] {
  if (sessions.length === 0) return [];
  const head = ["session", "changed", "state"].map((text) => ({ text, paint: colours.dim }));
  const rows = sessions.map((session) => [
    printable(sessionText(session)),
    `${duration(now - session.lastUpdateTimeMs)} ago`,
    // Without a terminal a line is as wide as it is; a state may be megabytes.
    printable(shorten(session.stateJson, 200)),
  ]);
  return columns([head, ...rows], width);
}

function sessionPage(session: Session, { colours, columns: width }: Terminal): string[] {
  const title = (text: string): string => colours.bold(text);
  const events = session.events.map((event) => [
    { text: moment(event.timestampMs ?? 0), paint: colours.dim },
    printable(event.author ?? ""),
    printable(event.contentJson ?? ""),
  ]);
  return [
    `${title(printable(sessionText(session)))}  changed ${moment(session.lastUpdateTimeMs)}`,
    "",
    title("State"),
    ...stateLines(session.stateJson),
    ...(events.length === 0 ? [] : ["", title("Events"), ...columns(events, width - 2).map((line) => `  ${line}`)]),
  ];
}

/** A key a line, each value as it was written or as JavaScript writes it. */
function stateLines(stateJson: string): string[] {
  const state = parsedJson(stateJson);
  if (typeof state !== "object" || state === null) return [];
  const rows = Object.entries(state).map(([name, value]) => [printable(name), printable(JSON.stringify(value))]);
  return columns(rows).map((line) => `  ${line}`);
}

const sessionJson = ({ stateJson, events, ...session }: Session): object => ({
  ...session,
  state: parsedJson(stateJson),
  ...(events.length === 0 ? {} : { events: events.map(eventJson) }),
});

const eventJson = ({ contentJson = "", actionsJson = "", ...event }: EventRecord): object => ({
  ...event,
  content: parsedJson(contentJson),
  actions: parsedJson(actionsJson),
});
