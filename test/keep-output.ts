// Runs before every test file: keeps what the tests print themselves.
import { keepOwnOutput } from "./kept-logs.ts";

keepOwnOutput(process);
