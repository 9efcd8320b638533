/** A number of the command line, above 0; ends the process when it is none. */
export function wholeNumber(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  console.error(`${JSON.stringify(text)} is not a whole number above 0`);
  process.exit(2);
}
