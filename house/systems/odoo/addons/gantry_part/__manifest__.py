{'name': 'Parts for a conformance suite', 'depends': ['base'], 'license': 'LGPL-3', 'data': ['security/ir.model.access.csv']}
