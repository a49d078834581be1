/** Replaces the user and the password of a URL, for messages. */
export function hideUserInfo(url: string): string {
  return url.replace(/[^/]*@/, '…@');
}
