// tsyringe refuses to load unless the Reflect metadata API is there already: this import stays first.
import 'reflect-metadata';
import { container as rootContainer, type DependencyContainer, type InjectionToken } from 'tsyringe';
import { classNameOf, type Constructor } from './constructor.js';
import { describeValue, QuorateError } from '../core/runtime/index.js';

declare const injected: unique symbol;

/** Names something that can be injected but is not a class. */
export type NamedToken<T> = symbol & { readonly [injected]?: T };

/** What `@inject` takes: a class, or a token made by `token`. */
export type Token<T = unknown> = (abstract new (...parameters: never[]) => T) | NamedToken<T>;

/** Makes a token for something that is no class, such as an interface. */
export function token<T>(name: string): NamedToken<T> {
  return Symbol(name);
}

export function tokenName(of: Token | undefined): string {
  if (typeof of !== 'function' && typeof of !== 'symbol') return describeValue(of);
  return typeof of === 'symbol' ? (of.description ?? 'unnamed token') : classNameOf(of);
}

/** What `token` gives must fit the parameter that it is put on. */
type InjectDecorator<T> = <
  Target extends abstract new (...parameters: never[]) => unknown,
  Index extends number,
>(
  target: Target,
  member: undefined,
  index: Index & (T extends ConstructorParameters<Target>[Index] ? unknown : never),
) => void;

/** Registered, so that two copies of this package read each other's records. */
const INJECTIONS = Symbol.for('quorate:injections');

type Injections = ReadonlyMap<number, Token | undefined>;

/**
 * Says what a constructor parameter is given. Emitted type metadata is never looked at, so it works with every
 * compiler; a value that the parameter's type cannot hold is a compile error.
 */
export function inject<T>(of: Token<T>): InjectDecorator<T> {
  return (target, _member, index) => {
    const value = new Map(ownInjections(target)).set(index, of);
    Object.defineProperty(target, INJECTIONS, { value, configurable: true });
  };
}

function ownInjections(target: object): Injections | undefined {
  return Object.hasOwn(target, INJECTIONS)
    ? (target as { [INJECTIONS]?: Injections })[INJECTIONS]
    : undefined;
}

/** One parameter of a constructor: `isDeclared` tells a missing `@inject` from a token that was undefined. */
export interface ConstructorParameter {
  readonly index: number;
  readonly isDeclared: boolean;
  readonly token: Token | undefined;
}

/**
 * What has to be injected to build a class: the parameters under `@inject`, and those without a default. A
 * subclass without a constructor of its own has its parent's.
 */
export function constructorParametersOf(target: Constructor): readonly ConstructorParameter[] {
  let owner = target;
  while (owner.length === 0 && ownInjections(owner) === undefined) {
    const parent: unknown = Object.getPrototypeOf(owner);
    if (typeof parent !== 'function' || parent === Function.prototype) return [];
    owner = parent as Constructor;
  }
  const injections = ownInjections(owner) ?? new Map<number, Token | undefined>();
  const length = Math.max(owner.length, ...[...injections.keys()].map((index) => index + 1));
  return Array.from({ length }, (_, index) => ({
    index,
    isDeclared: injections.has(index),
    token: injections.get(index),
  })).filter(({ index, isDeclared }) => isDeclared || index < owner.length);
}

/** Whether tsyringe knows by itself how to make it: registered with it globally, by its own decorators. */
export function isRegisteredGlobally(of: Token): boolean {
  return rootContainer.isRegistered(of as InjectionToken);
}

/**
 * What an application builds its instances with: a child of tsyringe's container, so that registrations of the
 * host program are seen, and nothing that is built here is seen by anybody else. One instance of each class.
 */
export class Container {
  readonly #container: DependencyContainer = rootContainer.createChildContainer();
  readonly #instances = new Map<Constructor, object>();
  readonly #afterBuild: (instance: object, target: Constructor) => void;
  readonly #underway: string[] = [];

  /** `afterBuild` is called with every instance that is built here, before anybody else sees it. */
  constructor(afterBuild: (instance: object, target: Constructor) => void = () => undefined) {
    this.#afterBuild = afterBuild;
  }

  provide<T>(of: Token<T>, value: T): void {
    this.#container.registerInstance(of as InjectionToken<T>, value);
  }

  has(of: Token): boolean {
    return this.#container.isRegistered(of as InjectionToken, true);
  }

  /**
   * The instance behind a token; it and what it needs are built when asked for the first time.
   * @throws InjectionError with the chain of constructors that led to the failure.
   */
  get<T>(of: Token<T>): T {
    if (typeof of !== 'function' && typeof of !== 'symbol') {
      const hint =
        of === undefined ? '; an undefined class is usually a circular import between two files' : '';
      const problem = `a class or a token is needed, not ${describeValue(of)}${hint}`;
      throw new InjectionError([...this.#underway, describeValue(of)], new Error(problem));
    }
    if (typeof of === 'symbol' && !this.has(of)) {
      const problem = 'nothing provides this token: give its value with provide';
      throw new InjectionError([...this.#underway, tokenName(of)], new Error(problem));
    }
    if (typeof of === 'function' && !this.has(of)) this.#register(of as unknown as Constructor);
    try {
      return this.#container.resolve<T>(of as InjectionToken<T>);
    } catch (error) {
      if (error instanceof InjectionError) throw error;
      throw new InjectionError([...this.#underway, tokenName(of)], error);
    }
  }

  async dispose(): Promise<void> {
    await this.#container.dispose();
  }

  #register(target: Constructor): void {
    this.#container.register(target as unknown as InjectionToken<object>, {
      useFactory: () => this.#instances.get(target) ?? this.#build(target),
    });
  }

  #build(target: Constructor): object {
    const name = classNameOf(target);
    const parameters: unknown[] = [];
    for (const parameter of constructorParametersOf(target)) {
      parameters[parameter.index] = this.#parameter(name, parameter);
    }
    const instance = new (target as new (...parameters: unknown[]) => object)(...parameters);
    this.#afterBuild(instance, target);
    this.#instances.set(target, instance);
    return instance;
  }

  #parameter(className: string, { index, token: wanted }: ConstructorParameter): unknown {
    const step = `${className} (parameter ${index})`;
    if (wanted === undefined) throw new InjectionError([...this.#underway, step], new Error('no token'));
    if (this.#underway.includes(step))
      throw new InjectionError([...this.#underway, step], new Error('a circle'));
    this.#underway.push(step);
    try {
      return this.get(wanted);
    } finally {
      this.#underway.pop();
    }
  }
}

/** Something could not be built; `chain` runs from what was asked for to what failed. Code `INJECTION_FAILED`. */
export class InjectionError extends QuorateError {
  readonly chain: readonly string[];

  constructor(chain: readonly string[], cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super('INJECTION_FAILED', `cannot build ${chain.join(' → ')}: ${reason}`, { fields: { chain }, cause });
    this.chain = chain;
  }
}
