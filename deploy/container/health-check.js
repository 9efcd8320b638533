// Ends with 0 when the server in this container takes calls, else with 1 and the reason on standard output, which
// `docker inspect` shows. Finds the server by TAPE_LISTEN. `node health-check.js /healthz` only asks whether it lives.
import { request } from "node:http";
import { request as requestTls } from "node:https";

const { TAPE_LISTEN = "127.0.0.1:7878", TAPE_TLS_CERT = "" } = process.env;
const port = TAPE_LISTEN.slice(TAPE_LISTEN.lastIndexOf(":") + 1);
const address = TAPE_LISTEN.slice(0, TAPE_LISTEN.lastIndexOf(":")).replace(/^\[|\]$/g, "");
const host = { "0.0.0.0": "127.0.0.1", "::": "::1" }[address] ?? address;
const path = process.argv[2] ?? "/readyz";

/** @param {string} reason */
function fail(reason) {
  console.log(reason);
  process.exit(1);
}

// The certificate is for the name that clients use, and here the server is asked by its address on this machine.
const options = { host, port, path, timeout: 4000, rejectUnauthorized: false };
const question = (TAPE_TLS_CERT === "" ? request : requestTls)(options, (response) => {
  let text = "";
  response.setEncoding("utf8").on("data", (chunk) => (text += chunk));
  response.on("end", () => (response.statusCode === 200 ? process.exit(0) : fail(text.trim())));
});
question.on("timeout", () => fail(`no answer to ${path} within 4 s`));
question.on("error", (error) => fail(`${host}:${port}${path}: ${error.message}`));
question.end();
