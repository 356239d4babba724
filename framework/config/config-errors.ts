import { QuorateError } from '../../core/runtime/index.js';

/**
 * A value that does not fit, when it was written or when an application had nothing better to start with. Code
 * `CONFIG_REFUSED`.
 */
export class ConfigRefusedError extends QuorateError {
  readonly path: string;
  readonly violations: readonly string[];

  constructor(path: string, violations: readonly string[], remedy: string) {
    super('CONFIG_REFUSED', `the value for ${path} is refused: ${violations.join('; ')}. ${remedy}`, {
      fields: { path, violations },
    });
    this.path = path;
    this.violations = violations;
  }
}

/**
 * The rules beside a configuration, its schema and defaults, cannot be used: they are malformed, or a check by them takes too long.
 * Code `CONFIG_RULES_INVALID`.
 */
export class ConfigRulesError extends QuorateError {
  constructor(path: string, problem: string) {
    super(
      'CONFIG_RULES_INVALID',
      `Cannot use the rules at ${path}: ${problem}. Start an application that declares the configuration, which publishes them anew, or ` +
        'delete the znode.',
      { fields: { path, problem } },
    );
  }
}

/** No server answered and no value is known from earlier. Code `CONFIG_UNKNOWN`. */
export class ConfigUnknownError extends QuorateError {
  constructor(name: string, remedy: string) {
    super('CONFIG_UNKNOWN', `configuration '${name}' could not be loaded: no server answers. ${remedy}`, {
      fields: { name },
    });
  }
}

/** A revision of a configuration that is not kept. Code `CONFIG_REVISION_UNKNOWN`. */
export class ConfigRevisionError extends QuorateError {
  constructor(name: string, revision: number | undefined, kept: readonly number[]) {
    const which = revision === undefined ? 'earlier revision' : `revision ${revision}`;
    const choice = kept.length === 0 ? 'None is kept' : `These are kept: ${kept.join(', ')}`;
    super('CONFIG_REVISION_UNKNOWN', `There is no ${which} of configuration '${name}'. ${choice}.`, {
      fields: { name, revision, kept },
    });
  }
}

/** A znode of a configuration whose data is not JSON, or too deeply nested: somebody wrote past `ConfigStore`. Code `CONFIG_UNREADABLE`. */
export class ConfigUnreadableError extends QuorateError {
  readonly path: string;

  /** `problem`: what is wrong and where, without a word of the data. */
  constructor(path: string, problem: string) {
    super(
      'CONFIG_UNREADABLE',
      `Cannot read ${path}: its data is not JSON that can be used (${problem}). Write a value with ConfigStore.write or quorate config set.`,
      { fields: { path } },
    );
    this.path = path;
  }
}
