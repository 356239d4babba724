import { QuorateError } from '../../core/runtime/index.js';
import { fieldsOf } from './candidate.js';

type Fields = Readonly<Record<string, unknown>>;
type ReloadListener = (config: object, previous: Fields) => void;

const cells = new WeakMap<object, LiveConfig>();

/**
 * One configuration object for the life of an application. It is injected once and stays the same reference; a new
 * value replaces all its fields within one turn of the event loop, so nobody ever sees half of it. The fields
 * cannot be assigned, and what they hold is frozen: whoever needs one consistent value over an `await` copies it
 * first.
 */
export class LiveConfig {
  readonly instance: object;
  /** What the class gives its fields. */
  readonly defaults: Fields;
  readonly #listeners = new Set<ReloadListener>();

  constructor(target: new () => object) {
    this.instance = new target();
    this.defaults = fieldsOf(this.instance);
    cells.set(this.instance, this);
  }

  /** Replaces every field by those of `value`, which belongs to this object from now on. */
  swap(value: Fields): void {
    for (const key of Object.keys(this.instance)) {
      if (!Object.hasOwn(value, key)) Reflect.deleteProperty(this.instance, key);
    }
    for (const [key, field] of Object.entries(value)) {
      Object.defineProperty(this.instance, key, {
        value: field,
        enumerable: true,
        configurable: true,
        writable: false,
      });
    }
  }

  /** Calls every listener; returns what they threw. */
  announce(previous: Fields): readonly unknown[] {
    const errors: unknown[] = [];
    for (const listener of this.#listeners) {
      try {
        listener(this.instance, previous);
      } catch (error) {
        errors.push(error);
      }
    }
    return errors;
  }

  listen(listener: ReloadListener): () => void {
    const own: ReloadListener = (config, previous) => listener(config, previous);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }
}

/**
 * Calls `listener` after every change of an injected configuration, with the configuration and the fields it had
 * before; returns how to stop it.
 * @throws QuorateError `NOT_A_CONFIG` when the object was not made by an application.
 */
export function onReload<T extends object>(
  config: T,
  listener: (config: T, previous: Readonly<T>) => void,
): () => void {
  const cell = cells.get(config);
  if (cell === undefined)
    throw new QuorateError(
      'NOT_A_CONFIG',
      'onReload wants an injected configuration, not a copy or another object',
    );
  return cell.listen((live, previous) => listener(live as T, previous as Readonly<T>));
}
