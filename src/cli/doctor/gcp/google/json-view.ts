/** A part of a parsed JSON text, whatever is in it: what is not there, or of another type, is absent. */
export class JsonView {
  readonly #value: unknown;

  constructor(value: unknown) {
    this.#value = value;
  }

  /** The part behind these names. */
  at(...path: readonly string[]): JsonView {
    return path.reduce<JsonView>((view, name) => new JsonView(fieldOf(view.#value, name)), this);
  }

  get isObject(): boolean {
    return isObject(this.#value);
  }

  /** A text that is not empty. */
  get text(): string | undefined {
    return typeof this.#value === "string" && this.#value !== "" ? this.#value : undefined;
  }

  /** A number; 64-bit ones come as text. */
  get number(): number | undefined {
    const number = typeof this.#value === "string" && this.#value !== "" ? Number(this.#value) : this.#value;
    return typeof number === "number" && Number.isFinite(number) ? number : undefined;
  }

  /** An answer leaves out what is false. */
  get isTrue(): boolean {
    return this.#value === true;
  }

  get isFalse(): boolean {
    return this.#value === false;
  }

  get items(): readonly JsonView[] {
    return Array.isArray(this.#value) ? this.#value.map((item) => new JsonView(item)) : [];
  }

  get texts(): readonly string[] {
    return this.items.flatMap(({ text }) => (text === undefined ? [] : [text]));
  }

  get entries(): readonly (readonly [string, JsonView])[] {
    if (!isObject(this.#value)) return [];
    return Object.entries(this.#value).map(([name, value]) => [name, new JsonView(value)]);
  }
}

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const fieldOf = (value: unknown, name: string): unknown =>
  isObject(value) && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
