import type { Constructor } from './constructor.js';
import type { ConfigOptions } from './decorators/config.js';
import type { LeaderOnlyOptions } from './decorators/leader-only.js';
import type { LockedOptions } from './decorators/locked.js';
import type { ShardedOptions } from './decorators/sharded.js';
import type { ServiceOptions } from './decorators/service.js';
import type { WorkerOptions } from './decorators/worker.js';

/** What the class decorators record, by kind. */
export interface DeclarationOptions {
  readonly config: ConfigOptions;
  readonly service: ServiceOptions;
  readonly 'leader-only': LeaderOnlyOptions;
  readonly sharded: ShardedOptions;
  readonly worker: WorkerOptions;
}

export type DeclarationKind = keyof DeclarationOptions;

/** One class decorator, as recorded. */
export type Declaration = {
  readonly [Kind in DeclarationKind]: { readonly kind: Kind; readonly options: DeclarationOptions[Kind] };
}[DeclarationKind];

/** One `@Locked`, as recorded. */
export interface LockedMember {
  readonly member: string | symbol;
  /** False when the decorator was put on something that is not a method of the instances. */
  readonly isMethod: boolean;
  /** The name of the lock, or how it follows from the arguments of a call. */
  readonly name: string | ((...parameters: never[]) => string);
  readonly options: LockedOptions;
}

/** Spelled as the user wrote it, for messages. */
export const DECORATOR_NAMES: Readonly<Record<DeclarationKind, string>> = {
  config: '@Config',
  service: '@Service',
  'leader-only': '@LeaderOnly',
  sharded: '@Sharded',
  worker: '@Worker',
};

/** Registered symbols: two copies of this package in one process still read each other's records. */
const DECLARATIONS = Symbol.for('quorate:declarations');
const LOCKED_MEMBERS = Symbol.for('quorate:locked-members');

interface Recorded {
  [DECLARATIONS]?: readonly Declaration[];
  [LOCKED_MEMBERS]?: readonly LockedMember[];
}

export function recordDeclaration(target: Constructor, declaration: Declaration): void {
  append(target, DECLARATIONS, declaration);
}

export function recordLockedMember(target: object, member: LockedMember): void {
  append(target, LOCKED_MEMBERS, member);
}

/** The class decorators of `target` itself, in the order of the source; a subclass inherits none. */
export function declarationsOf(target: Constructor): readonly Declaration[] {
  return Object.hasOwn(target, DECLARATIONS) ? ((target as Recorded)[DECLARATIONS] ?? []) : [];
}

/** The `@Locked` methods of a class, inherited ones too; one that a subclass overrides is the subclass's. */
export function lockedMembersOf(target: Constructor): readonly LockedMember[] {
  const found = new Map<string | symbol, LockedMember>();
  const overridden = new Set<string | symbol>();
  for (const member of ownLockedMembers(target)) found.set(member.member, member);
  for (let owner: object | null = target.prototype; owner !== null; owner = Object.getPrototypeOf(owner)) {
    for (const member of ownLockedMembers(owner)) {
      if (!overridden.has(member.member) && !found.has(member.member)) found.set(member.member, member);
    }
    for (const key of Reflect.ownKeys(owner)) overridden.add(key);
  }
  return [...found.values()];
}

/**
 * The members whose `@Locked` was compiled as a standard decorator: the record is on the method, where nobody looks for it, since
 * such a decorator is given the method and not the class.
 */
export function misplacedLocksOf(target: Constructor): readonly string[] {
  const found = new Set<string>();
  for (let owner: object | null = target.prototype; owner !== null; owner = Object.getPrototypeOf(owner))
    for (const key of misplacedIn(owner)) found.add(key);
  for (const key of misplacedIn(target)) found.add(key);
  return [...found];
}

function misplacedIn(owner: object): readonly string[] {
  return Reflect.ownKeys(owner)
    .filter((key) => {
      const value: unknown = Object.getOwnPropertyDescriptor(owner, key)?.value;
      return typeof value === 'function' && key !== 'constructor' && Object.hasOwn(value, LOCKED_MEMBERS);
    })
    .map(String);
}

function ownLockedMembers(owner: object): readonly LockedMember[] {
  return Object.hasOwn(owner, LOCKED_MEMBERS) ? ((owner as Recorded)[LOCKED_MEMBERS] ?? []) : [];
}

/** Decorators run from the bottom up, so what comes later stands above: it is put in front. */
function append(target: object, key: symbol, record: Declaration | LockedMember): void {
  const own = Object.hasOwn(target, key) ? ((target as Record<symbol, readonly unknown[]>)[key] ?? []) : [];
  Object.defineProperty(target, key, { value: [record, ...own], configurable: true });
}
