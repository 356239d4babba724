import { QuorateError } from '../core/runtime/index.js';

/** No instance of a service is registered. Code `SERVICE_UNAVAILABLE`. */
export class ServiceUnavailableError extends QuorateError {
  /** `leftOut`: how many are registered where `allow` does not let them be. */
  constructor(name: string, leftOut = 0) {
    const isThere = leftOut > 0 ? `; ${leftOut} are outside of what services.allow names` : '';
    super(
      'SERVICE_UNAVAILABLE',
      `no instance of service '${name}' is registered${isThere}; start one, or try again later`,
      { fields: { name, leftOut } },
    );
  }
}

/** A call was not answered in time; it may have had its effect. Code `SERVICE_DEADLINE`. */
export class ServiceDeadlineError extends QuorateError {
  constructor(name: string, deadlineMs: number, tried: readonly string[], cause?: unknown) {
    const whom = tried.length === 0 ? 'no instance was reached' : `tried: ${tried.join(', ')}`;
    super('SERVICE_DEADLINE', `service '${name}' did not answer within ${deadlineMs} ms; ${whom}`, {
      fields: { name, deadlineMs, tried },
      cause,
    });
  }
}

/**
 * Every instance that might be asked was, and none could be reached, or one broke off in the middle of a call that must not be
 * repeated; `cause` is what the last one did. Code `SERVICE_CALL_FAILED`.
 */
export class ServiceCallError extends QuorateError {
  constructor(name: string, tried: readonly string[], why: string, cause?: unknown) {
    super(
      'SERVICE_CALL_FAILED',
      `service '${name}' could not be called: ${why}; tried: ${tried.join(', ')}`,
      {
        fields: { name, tried },
        cause,
      },
    );
  }
}

/** An instance says no address or port, or an address that is none, so that it cannot be called over HTTP. Code `SERVICE_NOT_CALLABLE`. */
export class ServiceNotCallableError extends QuorateError {
  constructor(name: string, id: string) {
    super(
      'SERVICE_NOT_CALLABLE',
      `instance ${id} of service '${name}' has no address and port that a URL can have; register it with both, or use another way than fetch`,
      { fields: { name, id } },
    );
  }
}
