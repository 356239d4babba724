import type { Logger } from '../core/runtime/index.js';
import type { Application } from './application.js';
import type { ApplicationHooks, Provision } from './application-options.js';
import type { HealthContribution } from './health.js';
import type { Declared } from './module.js';

/**
 * Something that is added to an application with `use`. (What is added to a member is a listener: `ServeOptions.listeners`
 * of `quorate/server`.)
 *
 * Its declarations and provisions become the application's; its hooks are called before those of the application, and like
 * those a `connected` or `started` that throws fails the start.
 */
export interface Plugin {
  /** Of one application no two plugins have the same. */
  readonly name: string;
  readonly declare?: readonly Declared[] | undefined;
  readonly provide?: readonly Provision[] | undefined;
  readonly hooks?: ApplicationHooks | undefined;
  /**
   * Called first of all, in the order of `use`, before the application connects; what it throws fails the start. Here it
   * listens to events, adds to the health, and says what is to be undone.
   */
  readonly setup?: ((context: PluginContext) => unknown) | undefined;
}

/** What a plugin is given to work with. */
export interface PluginContext {
  /** Not connected yet: `on` can be used at once, the rest from the hook `connected` on. */
  readonly application: Application;
  /** Adds the plugin's name to every line. */
  readonly logger: Logger;
  /** Makes readiness depend on `check` too; it is called for every `health()`. */
  readonly addHealthCheck: (check: HealthContribution) => void;
  /** Called when everything of the application has stopped, in reverse order; after a failed start too. */
  readonly onStop: (undo: () => unknown) => void;
}
