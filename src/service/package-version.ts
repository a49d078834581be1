/** The version in package.json; `npm run build` writes it. */
export const packageVersion = '0.1.0';
