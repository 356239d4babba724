import { checkOptions, type OptionNames } from '../core/runtime/index.js';
import type { Constructor } from './constructor.js';
import type { Provision } from './application-options.js';

/** Registered: two copies of this package in one process still know each other's modules. */
const MODULE = Symbol.for('quorate:module');

export interface ModuleOptions {
  /** Classes with a decorator, and further modules. */
  readonly declare?: readonly Declared[] | undefined;
  /** What else can be injected where this module is part of an application. */
  readonly provide?: readonly Provision[] | undefined;
  /** Modules that this one needs; part of the application wherever this one is. */
  readonly imports?: readonly Module[] | undefined;
}

const MODULE_OPTIONS: OptionNames<ModuleOptions> = { declare: true, provide: true, imports: true };

/** A part of an application that is declared as one. */
export interface Module extends ModuleOptions {
  readonly [MODULE]: true;
}

/** What `declare` takes. */
export type Declared = Constructor | Module;

/**
 * Puts together what belongs together, to be listed in `declare` of an application or of another module. A module that is
 * reached on several ways counts once. What the application itself provides goes before what modules provide.
 */
export function module(options: ModuleOptions): Module {
  checkOptions('module', options, MODULE_OPTIONS);
  return { ...options, [MODULE]: true };
}

/** The classes of `declared` and of all modules within, and what these provide: the inner before the outer. */
export function composeModules(declared: readonly Declared[]): {
  readonly classes: readonly Constructor[];
  readonly provisions: readonly Provision[];
} {
  const classes: Constructor[] = [];
  const provisions: Provision[] = [];
  const seen = new Set<Module>();
  const visit = (of: readonly Declared[]): void => {
    for (const item of of) {
      if (!isModule(item)) classes.push(item);
      else if (!seen.has(item)) {
        seen.add(item);
        visit(item.imports ?? []);
        visit(item.declare ?? []);
        provisions.push(...(item.provide ?? []));
      }
    }
  };
  visit(declared);
  return { classes, provisions };
}

/** `item` may be anything: an undefined class is told of by the explorer. */
function isModule(item: Declared | null | undefined): item is Module {
  return typeof item === 'object' && item !== null && MODULE in item;
}
