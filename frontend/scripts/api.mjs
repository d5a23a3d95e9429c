// Writes src/api/schema.d.ts from the API's own OpenAPI: `npm run api`, or `npm run api -- openapi.json` for a file; `--check` only compares.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import openapiTS, { astToString, COMMENT_HEADER } from 'openapi-typescript'

const frontend = dirname(dirname(fileURLToPath(import.meta.url)))
const root = dirname(frontend)
const target = join(frontend, 'src', 'api', 'schema.d.ts')
const arguments_ = process.argv.slice(2)
const file = arguments_.find((argument) => !argument.startsWith('--'))
const python = process.env.PYTHON ?? join(root, '.venv', 'bin', 'python')

const openapi = file
  ? readFileSync(file, 'utf8')
  : execFileSync(python, ['-m', 'backend.openapi'], { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 })
const types = COMMENT_HEADER + astToString(await openapiTS(JSON.parse(openapi), { defaultNonNullable: true }))

if (arguments_.includes('--check')) {
  if (readFileSync(target, 'utf8') !== types) {
    console.error('src/api/schema.d.ts is not what the API says: run `npm run api` and commit the result.')
    process.exit(1)
  }
} else {
  writeFileSync(target, types)
}
