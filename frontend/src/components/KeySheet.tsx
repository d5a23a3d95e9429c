import { Modal } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useRouterState } from '@tanstack/react-router'

import { KEYS, scopesOf, type Key, type ScopeName } from '../lib/keys'
import classes from './KeySheet.module.css'
import { useKeys, useScopes } from './useKeys'

/** The keys there are, on `?`: those of what is on the screen first. It is made of the table that binds them. */
export function KeySheet() {
  const [opened, { open, close }] = useDisclosure(false)
  const page = useRouterState({ select: (state) => state.location.pathname })
  const shown = [...useScopes(), ...scopesOf(page)]
  useKeys('everywhere', { sheet: open })
  if (!opened) return null
  const scopes = Object.keys(KEYS) as ScopeName[]
  const here = scopes.filter((scope) => shown.includes(scope))
  const elsewhere = scopes.filter((scope) => !shown.includes(scope))
  return (
    <Modal opened onClose={close} size={720} title={<b>Keys</b>} closeButtonProps={{ 'aria-label': 'Close' }}>
      <div className={classes.sheet}>
        {here.map((scope) => (
          <Section key={scope} scope={scope} />
        ))}
        {elsewhere.length > 0 && <p className={classes.elsewhere}>On other pages</p>}
        {elsewhere.map((scope) => (
          <Section key={scope} scope={scope} />
        ))}
      </div>
    </Modal>
  )
}

function Section({ scope }: { scope: ScopeName }) {
  const { title, keys } = KEYS[scope]
  return (
    <section className={classes.section}>
      <h2 className="secondary">{title}</h2>
      <dl className={classes.keys}>
        {(Object.entries(keys) as [string, Key][]).map(([name, key]) => (
          <div key={name}>
            <dt>
              {key.keys.map((text) => (
                <kbd key={text}>{text}</kbd>
              ))}
            </dt>
            <dd>{key.words}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}
