import type { Client } from './client.js';

/**
 * Logs a warning, once, if the chroot of a client does not exist when it connects for the first time: a misspelt one shows an empty tree, and
 * whoever writes there creates it. To be called before anybody else can send a request.
 */
export function reportMissingChroot(
  client: Pick<Client, 'exists' | 'logger' | 'onState'>,
  chroot: string,
): void {
  if (chroot === '') return;
  const stopListening = client.onState((state) => {
    if (state !== 'connected') return;
    stopListening();
    void client.exists('/').then(
      (stat) => {
        if (stat !== null) return;
        client.logger.warn('The chroot of the connect string does not exist', {
          chroot,
          remedy:
            'correct the path behind the hosts; whoever creates missing parents, as recipes do, creates it',
        });
      },
      // Whoever may not see it, or loses the connection, is told so by its own requests.
      () => undefined,
    );
  });
}
