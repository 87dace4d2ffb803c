//! Drawings, pivots, links, macros: packages of a few parts in, what the model says of them out.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use expect_test::{Expect, expect};
use workbook::edit::{Draft, Edit, ExplicitPlaces};
use workbook::{Limits, Sheet, SheetId, Workbook};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/// A workbook of one sheet with the number 1 in A1; `parts` come on top, or replace what is there.
/// A `.rels` part is given as lines of `id type target`; a target with a colon is external.
fn open(parts: &[(&str, &str)]) -> Workbook {
    let sheet = "<worksheet><sheetData><row r='1'><c r='A1'><v>1</v></c></row></sheetData></worksheet>";
    let workbook = "<workbook><sheets><sheet name='Data' sheetId='1' r:id='s1'/></sheets></workbook>";
    let types = "<Types><Default Extension='png' ContentType='image/png'/></Types>";
    let mut all = vec![
        ("[Content_Types].xml", types),
        ("_rels/.rels", "b officeDocument xl/workbook.xml"),
        ("xl/workbook.xml", workbook),
        ("xl/_rels/workbook.xml.rels", "s1 worksheet worksheets/sheet1.xml"),
        ("xl/worksheets/sheet1.xml", sheet),
    ];
    all.retain(|(name, _)| !parts.iter().any(|(given, _)| given == name));
    all.extend(parts);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in all {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        let is_rels = name.rsplit('.').next() == Some("rels");
        let content = if is_rels { relationships(content) } else { content.to_owned() };
        zip.write_all(content.as_bytes()).unwrap();
    }
    let bytes = zip.finish().unwrap().into_inner();
    Workbook::open(bytes.into(), "test.xlsx", &Limits::default(), &()).unwrap()
}

fn relationships(lines: &str) -> String {
    let mut xml = "<Relationships>".to_owned();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (id, rest) = line.split_once(' ').unwrap();
        let (kind, target) = rest.split_once(' ').unwrap();
        let mode = if target.contains(':') { " TargetMode='External'" } else { "" };
        write!(xml, "<Relationship Id='{id}' Type='{OFFICE}/{kind}' Target='{target}'{mode}/>").unwrap();
    }
    xml + "</Relationships>"
}

/// Everything that a sheet holds besides its cells, which must be readable whatever happens to the rest.
fn objects(sheet: &Sheet) -> String {
    assert_eq!(sheet.cell_count(), 1, "the cells stay readable");
    let mut told = String::new();
    for chart in &sheet.charts {
        let place = chart.anchor.map(|anchor| format!("{anchor:?}")).unwrap_or_default();
        writeln!(told, "chart {:?} {} {:?} {place}", chart.name, chart.kinds.join("+"), chart.title).unwrap();
        for title in &chart.axis_titles {
            writeln!(told, "  axis {title:?}").unwrap();
        }
        for series in &chart.series {
            let text = |field: &Option<String>| field.clone().unwrap_or_default();
            let (name, categories, values) =
                (text(&series.name), text(&series.categories), text(&series.values));
            writeln!(told, "  series {name} of {categories} to {values}").unwrap();
        }
    }
    for image in &sheet.images {
        writeln!(told, "{image:?}").unwrap();
    }
    for shape in &sheet.shapes {
        writeln!(told, "{shape:?}").unwrap();
    }
    for pivot in &sheet.pivots {
        let place = pivot.range.map(|range| range.to_string());
        writeln!(told, "pivot {} at {place:?} of {:?}", pivot.name, pivot.source).unwrap();
        writeln!(told, "  rows {:?} columns {:?} filters {:?}", pivot.rows, pivot.columns, pivot.filters)
            .unwrap();
        for value in &pivot.values {
            writeln!(told, "  {} is the {} of {}", value.name, value.function, value.field).unwrap();
        }
    }
    for note in &sheet.notes {
        writeln!(told, "note: {note}").unwrap();
    }
    told
}

fn check(parts: &[(&str, &str)], expected: &Expect) {
    let book = open(parts);
    expected.assert_eq(&objects(&book.sheet(SheetId(0), &()).unwrap()));
}

const DRAWN: (&str, &str) = ("xl/worksheets/_rels/sheet1.xml.rels", "d1 drawing ../drawings/drawing1.xml");

#[test]
fn a_picture_and_shapes() {
    check(
        &[
            DRAWN,
            (
                "xl/drawings/drawing1.xml",
                "<xdr:wsDr><xdr:twoCellAnchor>
                <xdr:from><xdr:col>1</xdr:col><xdr:colOff>9525</xdr:colOff><xdr:row>2</xdr:row><xdr:rowOff>0</xdr:rowOff></xdr:from>
                <xdr:to><xdr:col>3</xdr:col><xdr:colOff>19050</xdr:colOff><xdr:row>9</xdr:row></xdr:to>
                <xdr:grpSp><xdr:nvGrpSpPr><xdr:cNvPr id='1' name='Group 1'/></xdr:nvGrpSpPr>
                <xdr:pic><xdr:nvPicPr><xdr:cNvPr id='2' name='Logo' descr='Our logo'/></xdr:nvPicPr>
                <xdr:blipFill><a:blip r:embed='i1'/></xdr:blipFill></xdr:pic>
                <xdr:sp><xdr:nvSpPr><xdr:cNvPr id='3' name='Box'/><xdr:cNvSpPr txBox='1'/></xdr:nvSpPr>
                <xdr:txBody><a:p><a:r><a:t>Two</a:t></a:r><a:r><a:t> runs</a:t></a:r></a:p>
                <a:p><a:r><a:t>and a line</a:t></a:r></a:p></xdr:txBody></xdr:sp></xdr:grpSp>
                </xdr:twoCellAnchor><xdr:oneCellAnchor>
                <xdr:from><xdr:col>0</xdr:col><xdr:row>0</xdr:row></xdr:from><xdr:ext cx='95250' cy='190500'/>
                <xdr:pic><xdr:nvPicPr><xdr:cNvPr id='4' name='Far'/></xdr:nvPicPr>
                <xdr:blipFill><a:blip r:link='i2'/></xdr:blipFill></xdr:pic></xdr:oneCellAnchor>
                <xdr:absoluteAnchor><xdr:pos x='9525' y='-3'/><xdr:ext cx='7' cy='8'/><mc:AlternateContent><mc:Choice Requires='sle15'>
                <xdr:graphicFrame><xdr:nvGraphicFramePr><xdr:cNvPr id='5' name='Region'/></xdr:nvGraphicFramePr>
                <a:graphic><a:graphicData><sle:slicer name='Region'/></a:graphicData></a:graphic>
                </xdr:graphicFrame></mc:Choice><mc:Fallback><xdr:sp><xdr:nvSpPr><xdr:cNvPr id='0' name=''/>
                </xdr:nvSpPr></xdr:sp></mc:Fallback></mc:AlternateContent></xdr:absoluteAnchor></xdr:wsDr>",
            ),
            (
                "xl/drawings/_rels/drawing1.xml.rels",
                "i1 image ../media/image1.png
                i2 image http://example.org/far.png",
            ),
            ("xl/media/image1.png", "ten bytes!"),
        ],
        &expect![[r#"
            Image { name: "Logo", description: Some("Our logo"), anchor: Some(Cells(CellRange { start: CellRef { row: 2, col: 1 }, end: CellRef { row: 9, col: 3 } })), placement: Placement { from: (9525, 0), to: (19050, 0), size: None }, part: "xl/media/image1.png", media_type: Some("image/png"), bytes: Some(10) }
            Image { name: "Far", description: None, anchor: Some(Cell(CellRef { row: 0, col: 0 })), placement: Placement { from: (0, 0), to: (0, 0), size: Some((95250, 190500)) }, part: "http://example.org/far.png", media_type: None, bytes: None }
            Shape { name: "Box", kind: "textbox", text: Some("Two runs\nand a line"), anchor: Some(Cells(CellRange { start: CellRef { row: 2, col: 1 }, end: CellRef { row: 9, col: 3 } })), placement: Placement { from: (9525, 0), to: (19050, 0), size: None } }
            Shape { name: "Region", kind: "slicer", text: None, anchor: Some(Absolute), placement: Placement { from: (9525, -3), to: (0, 0), size: Some((7, 8)) } }
        "#]],
    );
}

const FRAME: (&str, &str) = (
    "xl/drawings/drawing1.xml",
    "<xdr:wsDr><xdr:oneCellAnchor><xdr:from><xdr:col>4</xdr:col><xdr:row>0</xdr:row></xdr:from>
    <xdr:graphicFrame><xdr:nvGraphicFramePr><xdr:cNvPr id='2' name='Chart 1'/></xdr:nvGraphicFramePr>
    <a:graphic><a:graphicData><c:chart r:id='c1'/></a:graphicData></a:graphic>
    </xdr:graphicFrame></xdr:oneCellAnchor></xdr:wsDr>",
);
const CHARTED: (&str, &str) = ("xl/drawings/_rels/drawing1.xml.rels", "c1 chart ../charts/chart1.xml");

#[test]
fn a_chart() {
    check(
        &[
            DRAWN,
            FRAME,
            CHARTED,
            (
                "xl/charts/chart1.xml",
                "<c:chartSpace><c:chart><c:title><c:tx><c:rich><a:p><a:r><a:t>Sales by </a:t></a:r><a:r><a:t>month
</a:t></a:r></a:p></c:rich></c:tx></c:title><c:plotArea><c:barChart><c:barDir val='col'/>
                <c:ser><c:tx><c:strRef><c:f>Data!$B$1</c:f><c:strCache><c:pt><c:v>cached</c:v></c:pt></c:strCache>
                </c:strRef></c:tx><c:cat><c:strRef><c:f>Data!$A$2:$A$13</c:f></c:strRef></c:cat>
                <c:val><c:numRef><c:f>Data!$B$2:$B$13</c:f></c:numRef></c:val></c:ser></c:barChart>
                <c:lineChart><c:ser><c:tx><c:v>Target</c:v></c:tx><c:val><c:numLit><c:pt idx='0'><c:v>1</c:v></c:pt>
                <c:pt idx='1'><c:v>2</c:v></c:pt></c:numLit></c:val></c:ser></c:lineChart>
                <c:catAx><c:title><c:tx><c:rich><a:p><a:r><a:t>Month</a:t></a:r></a:p></c:rich></c:tx></c:title>
                </c:catAx></c:plotArea></c:chart></c:chartSpace>",
            ),
        ],
        &expect![[r#"
            chart "Chart 1" column+line Some("Sales by month") Cell(CellRef { row: 0, col: 4 })
              axis "Month"
              series Data!$B$1 of Data!$A$2:$A$13 to Data!$B$2:$B$13
              series Target of  to {1,2}
        "#]],
    );
}

#[test]
fn a_chart_of_the_newer_kind() {
    check(
        &[
            DRAWN,
            FRAME,
            ("xl/drawings/_rels/drawing1.xml.rels", "c1 chartEx ../charts/chartEx1.xml"),
            (
                "xl/charts/chartEx1.xml",
                "<cx:chartSpace><cx:chartData><cx:data id='0'><cx:strDim type='cat'><cx:f>Data!$A$2:$A$9</cx:f>
                </cx:strDim><cx:numDim type='val'><cx:f>Data!$B$2:$B$9</cx:f></cx:numDim></cx:data></cx:chartData>
                <cx:chart><cx:title><cx:tx><cx:txData><cx:v>Cash bridge</cx:v></cx:txData></cx:tx></cx:title>
                <cx:plotArea><cx:plotAreaRegion><cx:series layoutId='waterfall'><cx:tx><cx:txData><cx:f>Data!$B$1</cx:f>
                <cx:v>Cash</cx:v></cx:txData></cx:tx><cx:dataId val='0'/></cx:series></cx:plotAreaRegion>
                </cx:plotArea></cx:chart></cx:chartSpace>",
            ),
        ],
        &expect![[r#"
            chart "Chart 1" waterfall Some("Cash bridge") Cell(CellRef { row: 0, col: 4 })
              series Data!$B$1 of Data!$A$2:$A$9 to Data!$B$2:$B$9
        "#]],
    );
}

#[test]
fn broken_objects_leave_the_cells_readable() {
    check(
        &[DRAWN],
        &expect![[r#"
        note: objects of the drawing: one is left out: xl/drawings/drawing1.xml: the part is missing
    "#]],
    );
    check(
        &[DRAWN, ("xl/drawings/drawing1.xml", "<xdr:wsDr><xdr:twoCellAnchor>")],
        &expect![[r#"
        note: objects of the drawing: one is left out: xl/drawings/drawing1.xml: broken XML at byte 29: its elements do not end; it is cut off
    "#]],
    );
    check(
        &[DRAWN, FRAME],
        &expect![[r#"
        note: objects of the drawing: one is left out: the chart Chart 1 refers to no part
    "#]],
    );
    check(
        &[DRAWN, FRAME, CHARTED],
        &expect![[r#"
        note: objects of the drawing: one is left out: xl/charts/chart1.xml: the part is missing
    "#]],
    );
    check(
        &[DRAWN, FRAME, CHARTED, ("xl/charts/chart1.xml", "<c:chartSpace><c:chart>&bomb;</c:chart>")],
        &expect![[r#"
            note: objects of the drawing: one is left out: xl/charts/chart1.xml: broken XML at byte 23: the entity &bomb; is not known
        "#]],
    );
}

#[test]
fn a_chart_sheet_has_its_chart() {
    let book = open(&[
        ("xl/_rels/workbook.xml.rels", "s1 chartsheet chartsheets/sheet1.xml"),
        ("xl/chartsheets/sheet1.xml", "<chartsheet><drawing r:id='d1'/></chartsheet>"),
        ("xl/chartsheets/_rels/sheet1.xml.rels", "d1 drawing ../drawings/drawing1.xml"),
        FRAME,
        CHARTED,
        ("xl/charts/chart1.xml", "<c:chartSpace><c:pieChart><c:ser/></c:pieChart></c:chartSpace>"),
    ]);
    let sheet = book.sheet(SheetId(0), &()).unwrap();
    assert_eq!(sheet.charts[0].kinds, ["pie"]);
    assert_eq!(sheet.charts[0].series.len(), 1);
}

const PIVOT: (&str, &str) = (
    "xl/pivotTables/pivotTable1.xml",
    "<pivotTableDefinition name='Summary' dataCaption='Values'><location ref='D3:G9'/>
    <pivotFields><pivotField axis='axisRow'/><pivotField name='Area'/><pivotField/><pivotField/></pivotFields>
    <rowFields><field x='0'/></rowFields><colFields><field x='3'/><field x='-2'/></colFields>
    <pageFields><pageField fld='1'/></pageFields>
    <dataFields><dataField name='Sum of Amount' fld='2'/><dataField name='Mean' fld='2' subtotal='average'/>
    </dataFields><extLst><ext><x14:pivotTableDefinition hideValuesRow='1'/></ext></extLst>
    </pivotTableDefinition>",
);
const PIVOTED: (&str, &str) =
    ("xl/worksheets/_rels/sheet1.xml.rels", "p1 pivotTable ../pivotTables/pivotTable1.xml");
const CACHED: (&str, &str) = (
    "xl/pivotTables/_rels/pivotTable1.xml.rels",
    "c1 pivotCacheDefinition ../pivotCache/pivotCacheDefinition1.xml",
);

#[test]
fn a_pivot_table() {
    let cache = "<pivotCacheDefinition><cacheSource type='worksheet'><worksheetSource ref='A1:D50' sheet='Raw data'/>
        </cacheSource><cacheFields><cacheField name='Month'><sharedItems><s v='Jan'/></sharedItems></cacheField>
        <cacheField name='Region'/><cacheField name='Amount'/><cacheField name='Kind'/></cacheFields>
        </pivotCacheDefinition>";
    check(
        &[PIVOTED, PIVOT, CACHED, ("xl/pivotCache/pivotCacheDefinition1.xml", cache)],
        &expect![[r#"
            pivot Summary at Some("D3:G9") of Some("'Raw data'!A1:D50")
              rows ["Month"] columns ["Kind", "Values"] filters ["Area"]
              Sum of Amount is the sum of Amount
              Mean is the average of Amount
        "#]],
    );
}

#[test]
fn the_layout_of_a_pivot_table() {
    let pivot = "<pivotTableDefinition name='Summary'><location ref='A3:D12' firstHeaderRow='1' firstDataRow='2' firstDataCol='1'/>
        <pivotFields><pivotField axis='axisRow'><items><item x='1'/><item n='Second' x='0'/><item t='default'/></items></pivotField>
        <pivotField name='Area' axis='axisRow'><items><item x='0'/><item x='1'/><item x='2'/><item t='default'/></items></pivotField>
        <pivotField/><pivotField axis='axisPage'><items><item x='0'/><item x='1'/></items></pivotField></pivotFields>
        <rowFields><field x='0'/><field x='1'/></rowFields>
        <rowItems><i><x/></i><i r='1'><x/></i><i r='1'><x v='2'/></i><i t='default'><x/></i><i><x v='1'/><x v='1'/></i><i t='grand'><x/></i>
        </rowItems><colFields><field x='-2'/></colFields><colItems><i><x/></i><i i='1'><x v='1'/></i></colItems>
        <pageFields><pageField fld='3' item='1'/></pageFields>
        <dataFields><dataField name='Sum of Amount' fld='2'/><dataField name='Mean' fld='2' subtotal='average'/>
        </dataFields><formats><format><x v='9'/></format></formats></pivotTableDefinition>";
    let cache = "<pivotCacheDefinition><cacheFields><cacheField name='Month'><sharedItems><s v='Jan'/><s v='Feb'/></sharedItems>
        </cacheField><cacheField name='Region'><sharedItems><n v='2024'/><b v='1'/><m/></sharedItems></cacheField>
        <cacheField name='Amount'/><cacheField name='Day'><sharedItems><d v='2024-01-05T00:00:00'/></sharedItems><fieldGroup>
        <rangePr/><groupItems><s v='Q1'/><s v='Q2'/></groupItems></fieldGroup></cacheField></cacheFields></pivotCacheDefinition>";
    let book = open(&[
        PIVOTED,
        ("xl/pivotTables/pivotTable1.xml", pivot),
        CACHED,
        ("xl/pivotCache/pivotCacheDefinition1.xml", cache),
    ]);
    let layout = &book.sheet(SheetId(0), &()).unwrap().pivots[0].layout;
    let mut told = format!("from {},{}\n", layout.first_row, layout.first_column);
    for (axis, lines) in [("row", &layout.rows), ("column", &layout.columns)] {
        for line in lines {
            let item = |(field, item): &(usize, _)| format!("{}={item}", layout.fields[*field].caption);
            let items: Vec<String> = line.items.iter().map(item).collect();
            writeln!(told, "{axis} {:?} {:?} {}", items, line.value, line.is_subtotal).unwrap();
        }
    }
    writeln!(told, "{:?}", layout.filters).unwrap();
    expect![[r#"
        from 2,1
        row ["Month=Feb"] None false
        row ["Month=Feb", "Area=2024"] None false
        row ["Month=Feb", "Area=(blank)"] None false
        row ["Month=Feb"] None true
        row ["Month=Second", "Area=TRUE"] None false
        row [] None false
        column [] Some(0) false
        column [] Some(1) false
        [PivotFilter { field: 3, item: Some("Q2") }]
    "#]]
    .assert_eq(&told);
}

#[test]
fn a_pivot_table_without_its_cache() {
    check(
        &[PIVOTED, PIVOT, CACHED],
        &expect![[r#"
            pivot Summary at Some("D3:G9") of None
              rows ["field 1"] columns ["field 4", "Values"] filters ["Area"]
              Sum of Amount is the sum of field 3
              Mean is the average of field 3
            note: pivot tables or their sources: one is left out: xl/pivotCache/pivotCacheDefinition1.xml: the part is missing
        "#]],
    );
    check(
        &[PIVOTED],
        &expect![[r#"
        note: pivot tables or their sources: one is left out: xl/pivotTables/pivotTable1.xml: the part is missing
    "#]],
    );
}

#[test]
fn what_lies_outside() {
    let book = open(&[
        (
            "xl/workbook.xml",
            "<workbook><sheets><sheet name='Data' sheetId='1' r:id='s1'/></sheets><externalReferences>
            <externalReference r:id='l1'/><externalReference r:id='l2'/><externalReference r:id='l3'/>
            </externalReferences></workbook>",
        ),
        (
            "xl/_rels/workbook.xml.rels",
            "s1 worksheet worksheets/sheet1.xml
            l1 externalLink externalLinks/externalLink1.xml
            l2 externalLink externalLinks/missing.xml
            l3 externalLink externalLinks/externalLink3.xml
            c1 connections connections.xml
            v1 vbaProject vbaProject.bin",
        ),
        (
            "xl/externalLinks/externalLink1.xml",
            "<externalLink><externalBook r:id='r1'><sheetNames><sheetName val='2024'/><sheetName val='2025'/>
            </sheetNames><sheetDataSet><sheetData sheetId='0'><cut off",
        ),
        ("xl/externalLinks/_rels/externalLink1.xml.rels", "r1 externalLinkPath file:///plan.xlsx"),
        ("xl/externalLinks/externalLink3.xml", "<externalLink><ddeLink ddeService='app' ddeTopic='topic'/></externalLink>"),
        (
            "xl/connections.xml",
            "<connections><connection id='7' name='Sales' type='5'><dbPr connection='Data Source=db;Password=secret'/>
            </connection><connection id='8' name='Rates' type='4'><webPr url='https://example.org/rates?key=secret'/>
            </connection></connections>",
        ),
        ("xl/vbaProject.bin", ""),
        ("xl/_rels/vbaProject.bin.rels", "x1 vbaProjectSignature vbaProjectSignature.bin"),
        PIVOTED,
        PIVOT,
        CACHED,
        (
            "xl/pivotCache/pivotCacheDefinition1.xml",
            "<pivotCacheDefinition><cacheSource type='external' connectionId='7'/></pivotCacheDefinition>",
        ),
        ("_rels/.rels", "b officeDocument xl/workbook.xml
            p core-properties docProps/core.xml
            a extended-properties docProps/app.xml"),
        (
            "docProps/core.xml",
            "<cp:coreProperties><dc:creator>Ana &amp; Bo</dc:creator><dc:title/>
            <dcterms:modified>2025-03-01T09:00:00Z</dcterms:modified></cp:coreProperties>",
        ),
        ("docProps/app.xml", "<Properties><Application>Microsoft Excel</Application>"),
    ]);
    let sheet = book.sheet(SheetId(0), &()).unwrap();
    let told = format!(
        "{:#?}\n{:#?}\n{:#?}\n{:#?}\n{:#?}\n{:?}",
        book.external_links,
        book.connections,
        book.vba,
        book.properties,
        book.oddities,
        sheet.pivots[0].source
    );
    expect![[r#"
        [
            ExternalLink {
                index: 1,
                target: "file:///plan.xlsx",
                sheets: [
                    "2024",
                    "2025",
                ],
                names: [],
                part: "xl/externalLinks/externalLink1.xml",
                is_covered: true,
            },
            ExternalLink {
                index: 3,
                target: "dde:app|topic",
                sheets: [],
                names: [],
                part: "",
                is_covered: true,
            },
        ]
        [
            "Sales: OLE DB, data source=db",
            "Rates: web query, https://example.org/rates",
        ]
        Some(
            VbaProject {
                part: "xl/vbaProject.bin",
                signed: true,
            },
        )
        Properties {
            title: None,
            creator: Some(
                "Ana & Bo",
            ),
            last_modified_by: None,
            created: None,
            modified: Some(
                "2025-03-01T09:00:00Z",
            ),
            application: Some(
                "Microsoft Excel",
            ),
        }
        [
            Oddity {
                place: "xl/workbook.xml",
                what: "links, connections or properties: one is left out: xl/externalLinks/missing.xml: the part is missing",
            },
        ]
        Some("the connection Sales")"#]].assert_eq(&told);
}

#[test]
fn copies_of_other_workbooks() {
    let book = open(&[
        (
            "xl/workbook.xml",
            "<workbook><sheets><sheet name='Data' sheetId='1' r:id='s1'/></sheets><externalReferences>
            <externalReference r:id='l1'/></externalReferences></workbook>",
        ),
        (
            "xl/_rels/workbook.xml.rels",
            "s1 worksheet worksheets/sheet1.xml
            l1 externalLink externalLinks/externalLink1.xml",
        ),
        (
            "xl/externalLinks/externalLink1.xml",
            "<externalLink><externalBook r:id='r1'><sheetNames><sheetName val='Plan'/><sheetName val='Gone'/>
            </sheetNames><definedNames><definedName name='Rate' refersTo='=Plan!$B$2'/></definedNames><sheetDataSet>
            <sheetData sheetId='0'><row r='1'><cell r='A1' t='str'><v>a &amp; b</v></cell><cell r='B1' t='b'><v>1</v></cell>
            <cell r='C1'/></row><row r='2'><cell r='A2' t='e'><v>#N/A</v></cell><cell r='B2'><v>1.5</v></cell></row></sheetData>
            <sheetData sheetId='1' refreshError='1'/><sheetData sheetId='7'><row r='1'><cell r='A1'><v>1</v></cell></row>
            </sheetData></sheetDataSet></externalBook></externalLink>",
        ),
        ("xl/externalLinks/_rels/externalLink1.xml.rels", "r1 externalLinkPath file:///plan.xlsx"),
    ]);
    assert_eq!(book.external_links[0].names, [("Rate".to_owned(), "=Plan!$B$2".to_owned())]);
    let mut told = String::new();
    for sheet in book.linked_sheets().unwrap().iter() {
        let cells =
            sheet.cells.cells_by_row(grid::CellRange::ALL).map(|(at, cell)| format!("{at}={:?}", cell.value));
        let cells: Vec<String> = cells.collect();
        writeln!(told, "{} {} {} {}", sheet.link, sheet.name, sheet.is_lost, cells.join(" ")).unwrap();
    }
    expect![[r#"
        1 Plan false A1=Text("a & b") B1=Bool(true) A2=Error(NA) B2=Number(1.5)
        1 Gone true 
    "#]]
    .assert_eq(&told);
    // Who writes a formula may read what was never copied.
    let mut draft = Draft::new(&book, &Limits::default()).unwrap();
    let mut write = |formula: &str| {
        let edit = format!(r#"[{{"op": "set", "range": "Data!B1", "values": [["{formula}"]]}}]"#);
        draft.apply(&serde_json::from_str::<Vec<Edit>>(&edit).unwrap(), &ExplicitPlaces).unwrap();
        draft.book().external_links[0].is_covered
    };
    assert!(write("=A1*2"));
    assert!(!write("=[1]Plan!A9"));
    assert!(!write("=A1"));
}

#[test]
fn errors_that_older_programs_do_not_know() {
    let book = open(&[
        (
            "xl/_rels/workbook.xml.rels",
            "s1 worksheet worksheets/sheet1.xml
            m1 sheetMetadata metadata.xml
            v1 rdRichValue richData/rdrichvalue.xml
            v2 rdRichValueStructure richData/rdrichvaluestructure.xml",
        ),
        (
            "xl/worksheets/sheet1.xml",
            "<worksheet><sheetData><row r='1'><c r='A1' t='e' vm='1'><v>#VALUE!</v></c><c r='B1' t='e' vm='2'><v>#VALUE!</v></c>
            <c r='C1' t='e' vm='3'><v>#VALUE!</v></c><c r='D1' t='e'><v>#VALUE!</v></c><c r='E1' vm='1'><v>5</v></c></row>
            </sheetData></worksheet>",
        ),
        (
            "xl/metadata.xml",
            "<metadata><metadataTypes><metadataType name='XLDAPR'/><metadataType name='XLRICHVALUE'/></metadataTypes>
            <futureMetadata name='XLDAPR'><bk><extLst/></bk></futureMetadata><futureMetadata name='XLRICHVALUE'>
            <bk><extLst><ext><xlrd:rvb i='2'/></ext></extLst></bk><bk><extLst><ext><xlrd:rvb i='0'/></ext></extLst></bk>
            </futureMetadata><cellMetadata><bk><rc t='1' v='0'/></bk></cellMetadata>
            <valueMetadata><bk><rc t='2' v='0'/></bk><bk><rc t='2' v='1'/></bk><bk><rc t='1' v='0'/></bk></valueMetadata></metadata>",
        ),
        (
            "xl/richData/rdrichvalue.xml",
            "<rvData><rv s='1'><v>0</v><v>8</v></rv><rv s='0'><v>13</v></rv><rv s='1'><v>0</v><v>13</v></rv></rvData>",
        ),
        (
            "xl/richData/rdrichvaluestructure.xml",
            "<rvStructures><s t='_entity'><k n='errorType'/></s><s t='_error'><k n='subType' t='i'/><k n='errorType' t='i'/></s>
            </rvStructures>",
        ),
    ]);
    let sheet = book.sheet(SheetId(0), &()).unwrap();
    let shown: Vec<String> =
        sheet.cells_by_row(grid::CellRange::ALL).map(|(_, cell)| format!("{:?}", cell.value)).collect();
    assert_eq!(shown, ["Error(Calc)", "Error(Spill)", "Error(Value)", "Error(Value)", "Number(5.0)"]);
}
