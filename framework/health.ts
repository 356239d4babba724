/** One thing that has to be well. */
export interface HealthCheck {
  readonly name: string;
  readonly isHealthy: boolean;
  /** What is wrong, or how it stands, for people. */
  readonly detail?: string | undefined;
}

/**
 * A check of a plugin's own; one that throws, rejects, or does not answer within 2 s, is not healthy. It is not asked again
 * before it has answered.
 */
export interface HealthContribution {
  readonly name: string;
  readonly check: () => boolean | Promise<boolean>;
}

/** How an application is. */
export interface ApplicationHealth {
  /** False when only a restart helps: it failed, or has stopped. */
  readonly isLive: boolean;
  /** Whether it should be sent work: it runs, and every check is healthy. */
  readonly isReady: boolean;
  readonly checks: readonly HealthCheck[];
}
