import type { Dialer } from '../../transport/index.js';
import { ConfigurationError } from './server-options.js';

/** One member as the others know it. */
export interface EnsembleMember {
  /** 1 to 254. */
  readonly id: number;
  /** Where the other members reach it, in the form of their dialer. */
  readonly address: string;
  /** Follows and serves clients, but has no vote. Default false. */
  readonly isObserver?: boolean;
}

/** All members, and how this one reaches the others. */
export interface EnsembleParts {
  readonly members: readonly EnsembleMember[];
  readonly dialer: Dialer;
  /**
   * How the members prove who they are: the first proves, each is accepted. Certificates are verified by the dialer and by whoever calls
   * `acceptPeer`. Default: by the secret.
   */
  readonly proofs?: readonly MemberProof[] | undefined;
}

/** By a secret that all members have, or by a certificate for the member's host. */
export type MemberProof = 'secret' | 'certificate';

/** Throws `ConfigurationError` for members that make no ensemble of which `id` is a part. */
export function checkEnsemble(members: readonly EnsembleMember[], id: number): void {
  const refuse = (problem: string, remedy: string): never => {
    throw new ConfigurationError('ensemble', problem, remedy);
  };
  for (const member of members) {
    if (!Number.isInteger(member.id) || member.id < 1 || member.id > 254)
      refuse(`member ${member.id} is not allowed`, 'Number the members from 1 to 254.');
    if (members.some((other) => other !== member && other.id === member.id))
      refuse(`member ${member.id} stands there twice`, 'Give every member a number of its own.');
    if (members.some((other) => other !== member && other.address === member.address))
      refuse(`two members have the address ${member.address}`, 'Give every member an address of its own.');
  }
  if (!members.some((member) => member.id === id))
    refuse(`member ${id}, which this is, does not stand there`, `List all members, and this one as ${id}.`);
  if (members.every(({ isObserver }) => isObserver === true))
    refuse('there is no member with a vote', 'Leave at least one without the mark of an observer.');
}

/**
 * Names an ensemble by who votes in it: those who count its quorum differently must not talk. Observers are not part of
 * it, so that one can be added while the ensemble runs.
 */
export function describeEnsemble(members: readonly EnsembleMember[]): string {
  const voters = members.filter(({ isObserver }) => isObserver !== true).map(({ id }) => id);
  return `voters ${voters.sort((one, other) => one - other).join(', ')}`;
}

const DEFAULT_PORT = 7300;
/** `3=host:7300:observer`: scheme, port and mark may be left out. */
const MEMBER =
  /^(\d{1,3})=(?:(wss?):\/\/)?(\[[0-9a-f:.%]+\]|[^\s:/[\]=,@]+)(?::(\d{1,5}))?(?::(observer|voter))?$/i;

/**
 * Reads `1=a:7300,2=b:7300,3=c:7300:observer`; a port that is left out is 7300, a scheme that is left out `defaultScheme`. Throws
 * `ConfigurationError` naming the member that cannot be read.
 */
export function parseEnsemble(text: string, defaultScheme: 'ws' | 'wss' = 'ws'): readonly EnsembleMember[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => {
      const [, id, scheme = defaultScheme, host, port = `${DEFAULT_PORT}`, role = 'voter'] =
        MEMBER.exec(part) ?? [];
      if (host === undefined || Number(port) < 1 || Number(port) > 65_535) {
        throw new ConfigurationError(
          'ensemble',
          `"${part}" is no member`,
          'Write every member as id=host:port, or id=host:port:observer, with commas between them.',
        );
      }
      const address = `${scheme.toLowerCase()}://${host.toLowerCase()}:${Number(port)}`;
      return { id: Number(id), address, isObserver: role.toLowerCase() === 'observer' };
    });
}
