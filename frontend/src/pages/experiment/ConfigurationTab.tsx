import { Button, CopyButton } from '@mantine/core'

import { ButtonLink } from '../../components/ButtonLink'
import { Icon } from '../../components/icons'
import { YamlView } from '../../components/Yaml'
import { dateTime } from '../../lib/format'
import { toYaml } from '../../lib/spec'
import classes from './Experiment.module.css'
import type { TabProps } from './ExperimentPage'

/** The experiment as it was submitted: the same text submits it again. */
export default function ConfigurationTab({ experiment }: TabProps) {
  const yaml = toYaml(experiment.spec)
  return (
    <div className={classes.configuration}>
      <div className="spread">
        <h2 className="section">YAML</h2>
        <span className="row">
          <CopyButton value={yaml}>
            {({ copied, copy }) => (
              <Button variant="default" leftSection={<Icon name={copied ? 'check' : 'copy'} size={14} />} onClick={copy}>
                {copied ? 'Copied' : 'Copy YAML'}
              </Button>
            )}
          </CopyButton>
          <ButtonLink variant="default" to="/experiments/new" search={{ from: experiment.id }} leftSection={<Icon name="plus" size={14} />}>
            New from this
          </ButtonLink>
        </span>
      </div>
      <YamlView text={yaml} label="The experiment as YAML" />
      <dl className={classes.facts}>
        <dt>Submitted</dt>
        <dd>{dateTime(experiment.created_at)}</dd>
        <dt>Evaluated</dt>
        <dd>{experiment.evaluation.join('; ') || 'not yet'}</dd>
        {experiment.description && (
          <>
            <dt>Description</dt>
            <dd>{experiment.description}</dd>
          </>
        )}
      </dl>
    </div>
  )
}
