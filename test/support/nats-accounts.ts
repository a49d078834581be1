import {
  createAccount,
  createOperator,
  createUser,
  encodeAccount,
  encodeOperator,
  encodeUser,
  fmtCreds,
} from '@nats-io/jwt';

/** A NATS server whose users have credentials signed by an operator and an account. */
export interface NatsAccounts {
  /** For the server that knows the account, and for one that knows the operator only. */
  readonly configText: string;
  readonly withoutAccount: string;
  /** The contents of a credentials file. `exp`: until when it is good, in seconds since 1970. */
  credentials(valid?: { readonly exp: number }): Promise<string>;
}

/** Makes an operator and an account. */
export async function makeNatsAccounts(): Promise<NatsAccounts> {
  const [operator, account] = [createOperator(), createAccount()];
  const operatorJwt = await encodeOperator('tidemark test', operator);
  const unlimited = { conn: -1, subs: -1, data: -1, payload: -1, imports: -1, exports: -1, wildcards: true };
  const accountJwt = await encodeAccount('fleet', account, { limits: unlimited }, { signer: operator });
  const resolver = (accounts: string): string =>
    `operator: ${operatorJwt}\nresolver: MEMORY\nresolver_preload: { ${accounts} }`;
  return {
    configText: resolver(`${account.getPublicKey()}: ${accountJwt}`),
    withoutAccount: resolver(''),
    async credentials(valid = undefined) {
      const user = createUser();
      const jwt = await encodeUser('listener', user, account, {}, valid);
      return new TextDecoder().decode(fmtCreds(jwt, user));
    },
  };
}
