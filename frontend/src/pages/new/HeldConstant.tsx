import { useDisclosure } from '@mantine/hooks'

import { settingValue } from '../../lib/format'
import { leaves, settingTitle, type Field } from '../../lib/schema'
import { factorsOf, canonical, readBase } from '../../lib/spec'
import { useForm } from './draft'
import { Line } from './Line'
import classes from './New.module.css'
import { SchemaFields } from './SchemaFields'

/** Settings with a section of their own on this page. */
const ELSEWHERE = new Set(['loss', 'seed', 'labels', 'data.dataset', 'data.split', 'data.train_size', 'network.encoder'])

/** What all runs share, on the page and not in a dialog. */
export function HeldConstant() {
  const { spec, fields, faultAt } = useForm()
  const groups = heldGroups(fields)
  const settings = leaves(groups)
  const varied = new Set(Object.keys(factorsOf(spec)).map(canonical))
  const faulty = settings.some((field) => faultAt(field.path))
  const [opened, { toggle }] = useDisclosure(false)
  const words = settings
    .filter((field) => !varied.has(field.path) && readBase(spec, field.path) !== undefined)
    .map((field) => `${settingTitle(field.path)} ${settingValue(readBase(spec, field.path))}`)
  return (
    <Line label="Held constant">
      <p className={classes.held}>
        {words.length > 0 ? `${words.join(', ')}; the rest by default. ` : 'Every setting by its default. '}
        <button type="button" className="link" aria-expanded={opened || faulty} onClick={toggle}>
          {opened || faulty ? 'Hide the settings' : `Edit ${settings.length} settings`}
        </button>
      </p>
      {(opened || faulty) &&
        groups.map((group) => (
          <fieldset key={group.path} className={classes.group}>
            <legend>{settingTitle(group.path)}</legend>
            <SchemaFields fields={group.kind === 'group' ? group.fields : [group]} varied={varied} />
          </fieldset>
        ))}
    </Line>
  )
}

function heldGroups(fields: readonly Field[]): Field[] {
  return fields
    .filter((field) => !ELSEWHERE.has(field.path))
    .map((field) => (field.kind === 'group' ? { ...field, fields: field.fields.filter((inner) => !ELSEWHERE.has(inner.path)) } : field))
}
