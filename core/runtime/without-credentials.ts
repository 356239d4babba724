/**
 * The text of an error about an address, with what stands before an `@` hidden: whoever writes `user:password@host` does not find the
 * password in a log.
 */
export function withoutCredentials(text: string): string {
  return text.replace(/(^|[",])((?:[a-z][a-z0-9+.-]*:)?\/\/)?[^",]*@/gi, '$1$2[hidden]@');
}
