package tidy

import (
	"go/ast"
	"go/token"
)

// comments holds that what others may use says what it is.
func (s *source) comments() {
	for _, d := range s.file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) {
				s.uncommented(d.Name)
			}
		case *ast.GenDecl:
			s.declarations(d)
		}
	}
}

// declarations looks at types, constants and variables. A comment on the whole
// group counts for each of its values, but not for a type.
func (s *source) declarations(d *ast.GenDecl) {
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			alone := !d.Lparen.IsValid() && d.Doc != nil
			if spec.Name.IsExported() && spec.Doc == nil && spec.Comment == nil && !alone {
				s.uncommented(spec.Name)
			}
		case *ast.ValueSpec:
			if d.Tok != token.CONST && d.Tok != token.VAR || d.Doc != nil || spec.Doc != nil || spec.Comment != nil {
				continue
			}
			for _, name := range spec.Names {
				if name.IsExported() {
					s.uncommented(name)
				}
			}
		}
	}
}

func (s *source) uncommented(name *ast.Ident) {
	s.report(name.Pos(), "%s is exported and has no comment", name.Name)
}

// exportedReceiver is true for functions, and for methods of exported types.
func exportedReceiver(f *ast.FuncDecl) bool {
	if f.Recv == nil || len(f.Recv.List) == 0 {
		return true
	}
	receiver := f.Recv.List[0].Type
	for {
		switch r := receiver.(type) {
		case *ast.StarExpr:
			receiver = r.X
		case *ast.IndexExpr:
			receiver = r.X
		case *ast.IndexListExpr:
			receiver = r.X
		case *ast.Ident:
			return r.IsExported()
		default:
			return true
		}
	}
}
