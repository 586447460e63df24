package definition

import (
	"gantry/connectors"
)

// Program is a definition compiled for its driver: everything the engine runs. It is safe for concurrent use.
type Program struct {
	Definition *Definition
	Driver     connectors.Driver
	Protocol   connectors.Statement // nil: the driver's own
	Check      connectors.Statement // nil: the driver's own
	Errors     []*Mapping
	Tables     map[string]*Table // by the entity's name
}

// Mapping is a compiled rule of the error map.
type Mapping struct {
	ErrorRule
	When                   *Expression
	Message, Advice, Field *Template
}

// Table is a compiled entity.
type Table struct {
	*Entity
	Name       string
	Members    []*Member // the entity's own fields, in the order of records, without the envelope's
	Envelope   []*Member // created_at, updated_at, deleted_at, those that are mapped
	Custom     []*Member
	List       connectors.Statement
	Get        connectors.Statement // nil: the list, filtered by the key
	Lock       connectors.Statement
	Children   map[string]*Branch
	Procedures map[string]*Procedure // create, update, delete
	Actions    map[string]*Procedure
	Guards     []*Guard
	Discover   connectors.Statement // nil: nothing can be discovered
	Bare       connectors.Statement // the list without discovered columns
	Room       Room
}

// Branch is a compiled child.
type Branch struct {
	*Child
	Statement connectors.Statement
}

// Member is a compiled field.
type Member struct {
	*Field
	Name     string
	Computed *Template // of `value`
	Zone     *Template // of `tz`
	Members  []*Member // of an object, or of a list's members
}

// Guard is a compiled rule.
type Guard struct {
	Rule
	When *Expression
	// ByStatus: the rule looks at nothing but the record's status, so that its verdict can be kept.
	ByStatus bool
	// NeedsInput: the rule looks at what is written, so that it cannot be judged in advance.
	NeedsInput bool
}

// Procedure is a compiled write.
type Procedure struct {
	*Write
	Name   string
	Steps  []*Call
	Find   *Call // of idempotency
	Inbox  *InboxCalls
	Vars   []Binding
	Action *Procedure // of a delete by status
	Input  []*Member  // of an action
}

// InboxCalls are the inbox statements with the operation's table in them.
type InboxCalls struct{ Insert, Find, Finish *Call }

// Call is a compiled step.
type Call struct {
	*Step
	Statement connectors.Statement
	When      *Expression
	Expect    *Expression
	Vars      []Binding
}

// Binding is a parameter whose value is computed.
type Binding struct {
	Name  string
	Value *Template
}
